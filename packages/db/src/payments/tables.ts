import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { createdAt, currentUser, id, moment, taughtCourses, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';
import { privateSchema } from '../live/tables.ts';

/** Money, as its provider tells it. The books outlive the person and the course. */
export const payments = pgTable(
  'payments',
  {
    id: id(),
    userId: uuid().references(() => users.id, { onDelete: 'set null' }),
    courseId: uuid().references(() => courses.id, { onDelete: 'set null' }),
    amountCents: integer().notNull(),
    /** How much of it was given back. */
    refundedCents: integer().notNull().default(0),
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
    check('payments_refund_no_negative_amount', sql`refunded_cents >= 0`),
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

/** What providers have told of payments: each event counts once, however often it is delivered. */
export const paymentEvents = privateSchema
  .table(
    'payment_events',
    {
      provider: text().notNull(),
      id: text().notNull(),
      type: text().notNull(),
      reference: text().notNull(),
      /** What came of it, in a word. */
      outcome: text(),
      /** The provider's clock. */
      happenedAt: moment().notNull(),
      receivedAt: createdAt(),
    },
    (table) => [
      primaryKey({ name: 'payment_events_once_each', columns: [table.provider, table.id] }),
      index('payment_events_by_outcome')
        .on(table.receivedAt)
        .where(sql`outcome = 'unmatched'`),
    ],
  )
  .enableRLS();
