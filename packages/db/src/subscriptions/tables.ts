import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  jsonb,
  pgPolicy,
  pgTable,
  primaryKey,
  smallint,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { createdAt, currentUser, id, moment, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';
import { privateSchema } from '../live/tables.ts';

/** A user's plan, and until when it is paid. */
export const subscriptions = pgTable(
  'subscriptions',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    plan: text().notNull(),
    status: text({ enum: ['active', 'past_due', 'cancelled', 'expired'] })
      .notNull()
      .default('active'),
    provider: text().notNull().default('manual'),
    providerReference: text(),
    startedAt: createdAt(),
    expiresAt: moment().notNull(),
    cancelledAt: moment(),
    /** The provider renews it by itself: nobody has to be reminded. */
    renewsAutomatically: boolean().notNull().default(false),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('subscriptions_once_per_provider_reference').on(table.provider, table.providerReference),
    check(
      'subscriptions_have_a_known_status',
      sql`status in ('active', 'past_due', 'cancelled', 'expired')`,
    ),
    check('subscriptions_end_after_they_start', sql`expires_at > started_at`),
    index('subscriptions_of_user_newest_first').on(table.userId, table.startedAt, table.id),
    index('subscriptions_by_expiry')
      .on(table.expiresAt)
      .where(sql`status = 'active'`),
    pgPolicy('users see their subscriptions', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);

/** That somebody was reminded so many days before a date. Once each; a later date counts anew. */
export const subscriptionReminders = privateSchema
  .table(
    'subscription_reminders',
    {
      subscriptionId: uuid()
        .notNull()
        .references(() => subscriptions.id, { onDelete: 'cascade' }),
      expiresAt: moment().notNull(),
      daysBefore: smallint().notNull(),
      createdAt: createdAt(),
    },
    (table) => [
      primaryKey({
        name: 'subscription_reminders_once_each',
        columns: [table.subscriptionId, table.expiresAt, table.daysBefore],
      }),
      check('subscription_reminders_are_7_3_1_days_before', sql`days_before in (7, 3, 1)`),
    ],
  )
  .enableRLS();

/** What providers have told of subscriptions: what each of those is, is computed from these. */
export const subscriptionEvents = privateSchema
  .table(
    'subscription_events',
    {
      provider: text().notNull(),
      id: text().notNull(),
      /** The provider's name for the subscription. */
      reference: text().notNull(),
      type: text().notNull(),
      /** Which of two events of the same second is the later one. */
      rank: smallint().notNull(),
      /** The provider's clock. */
      happenedAt: moment().notNull(),
      told: jsonb().$type<Record<string, unknown>>().notNull(),
      outcome: text({ enum: ['recorded', 'unmatched'] }).notNull(),
      receivedAt: createdAt(),
    },
    (table) => [
      primaryKey({ name: 'subscription_events_once_each', columns: [table.provider, table.id] }),
      check('subscription_events_have_a_known_outcome', sql`outcome in ('recorded', 'unmatched')`),
      index('subscription_events_of_subscription').on(
        table.provider,
        table.reference,
        table.happenedAt,
      ),
    ],
  )
  .enableRLS();
