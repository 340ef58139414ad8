import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  jsonb,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { createdAt, currentUser, moment } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** What can be earned, declared as data: `rule` says by what. */
export const achievements = pgTable(
  'achievements',
  {
    key: text().primaryKey(),
    title: text().notNull(),
    description: text().notNull(),
    icon: text().notNull().default('award'),
    points: integer().notNull().default(0),
    rule: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    createdAt: createdAt(),
  },
  () => [
    check('achievements_have_a_readable_key', sql`key ~ '^[a-z0-9]+(_[a-z0-9]+)*$'`),
    check('achievements_give_no_negative_points', sql`points >= 0`),
    pgPolicy('users see what can be earned', {
      for: 'select',
      to: authenticatedRole,
      using: sql`true`,
    }),
  ],
);

/** What a student has earned, each once. */
export const userAchievements = pgTable(
  'user_achievements',
  {
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    achievementKey: text()
      .notNull()
      .references(() => achievements.key, { onDelete: 'restrict', onUpdate: 'cascade' }),
    earnedAt: moment().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({
      name: 'user_achievements_once_per_student',
      columns: [table.userId, table.achievementKey],
    }),
    index('user_achievements_by_achievement').on(table.achievementKey, table.earnedAt),
    pgPolicy('students see what they have earned', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);
