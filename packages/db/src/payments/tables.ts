import { sql } from 'drizzle-orm';
import { check, index, integer, pgPolicy, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { createdAt, currentUser, id, moment, taughtCourses, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** Money, as its provider tells it. The books outlive the person and the course. */
export const payments = pgTable(
  'payments',
  {
    id: id(),
    userId: uuid().references(() => users.id, { onDelete: 'set null' }),
    courseId: uuid().references(() => courses.id, { onDelete: 'set null' }),
    amountCents: integer().notNull(),
    currency: text().notNull().default('EUR'),
    status: text({ enum: ['pending', 'succeeded', 'failed', 'refunded'] })
      .notNull()
      .default('pending'),
    provider: text().notNull().default('manual'),
    providerReference: text(),
    paidAt: moment(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('payments_once_per_provider_reference').on(table.provider, table.providerReference),
    check('payments_are_no_negative_amount', sql`amount_cents >= 0 and currency ~ '^[A-Z]{3}$'`),
    check(
      'payments_have_a_known_status',
      sql`status in ('pending', 'succeeded', 'failed', 'refunded')`,
    ),
    index('payments_of_user_newest_first').on(table.userId, table.createdAt, table.id),
    index('payments_of_course_newest_first').on(table.courseId, table.createdAt, table.id),
    pgPolicy('users see their payments, staff those for their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or course_id in ${taughtCourses}`,
    }),
  ],
);
