import { sql } from 'drizzle-orm';
import { boolean, check, index, pgPolicy, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole, authUsers } from 'drizzle-orm/supabase';
import { createdAt, currentUser, moment, updatedAt } from '../columns.ts';

/** What a person may do here. Given by the database or an administrator, never by the person. */
export const ROLES = ['student', 'instructor', 'admin'] as const;

/**
 * A person. Follows `auth.users` by a trigger. People see their own row only; what others may see
 * of them is the view `profiles`. Erasing a person keeps what others have a part in (threads,
 * certificates' serials) without the name.
 */
export const users = pgTable(
  'users',
  {
    id: uuid()
      .primaryKey()
      .references(() => authUsers.id, { onDelete: 'cascade' }),
    email: text().notNull(),
    firstName: text().notNull().default(''),
    lastName: text().notNull().default(''),
    avatarUrl: text(),
    role: text({ enum: ROLES }).notNull().default('student'),
    timeZone: text().notNull().default('UTC'),
    isActive: boolean().notNull().default(true),
    lastSeenAt: moment(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    check('users_have_a_known_role', sql`role in ('student', 'instructor', 'admin')`),
    check(
      'users_have_short_names',
      sql`char_length(first_name) <= 100 and char_length(last_name) <= 100`,
    ),
    check('users_have_a_short_avatar_url', sql`char_length(avatar_url) <= 2000`),
    index('users_by_email').on(table.email),
    index('users_by_creation').on(table.createdAt, table.id),
    pgPolicy('users see themselves, administrators everybody', {
      for: 'select',
      to: authenticatedRole,
      using: sql`id = ${currentUser} or (select private.is_admin())`,
    }),
    pgPolicy('users change their own profile', {
      for: 'update',
      to: authenticatedRole,
      using: sql`id = ${currentUser}`,
      withCheck: sql`id = ${currentUser}`,
    }),
  ],
);
