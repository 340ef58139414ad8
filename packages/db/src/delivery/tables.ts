import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  date,
  index,
  integer,
  pgPolicy,
  pgTable,
  smallint,
  text,
  time,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { createdAt, currentUser, id, moment } from '../columns.ts';
import { users } from '../identity/tables.ts';
import { privateSchema } from '../live/tables.ts';

/** How often a digest comes. */
const DIGESTS = ['off', 'daily', 'weekly'] as const;

/**
 * When notifications may ring, and when they are told by e-mail: hours and days of the clock where
 * the user is (`users.time_zone`). No row: no quiet hours, no digest.
 */
export const notificationSettings = pgTable(
  'notification_settings',
  {
    userId: uuid()
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    hasQuietHours: boolean().notNull().default(false),
    /** Over midnight where it is later than `quiet_to`. */
    quietFrom: time({ precision: 0 }).notNull().default('22:00'),
    quietTo: time({ precision: 0 }).notNull().default('07:00'),
    /** Weekdays, 1 is Monday, on which they begin: a night belongs to the day before it. */
    quietDays: smallint().array().notNull().default([1, 2, 3, 4, 5, 6, 7]),
    digest: text({ enum: DIGESTS }).notNull().default('off'),
    /** 1 is Monday; for a weekly digest. */
    digestWeekday: smallint().notNull().default(1),
    digestHour: smallint().notNull().default(8),
    /** When the next one is due; kept by `private.plan_digest`. Null: never. */
    digestDueAt: moment(),
    /** What the next one begins with: the end of the one before, or when it was turned on. */
    digestSince: moment(),
    /** The user's day for which the last one was made: there is one a day at most. */
    digestPeriod: date(),
    /** In the address that turns the digest off, without signing in. */
    digestKey: uuid().notNull().defaultRandom(),
  },
  (table) => [
    check('notification_settings_have_quiet_hours_that_end', sql`quiet_from <> quiet_to`),
    check(
      'notification_settings_have_quiet_days',
      sql`cardinality(quiet_days) between 1 and 7 and quiet_days <@ '{1,2,3,4,5,6,7}'::smallint[]`,
    ),
    check('notification_settings_have_a_known_digest', sql`digest in ('off', 'daily', 'weekly')`),
    check('notification_settings_have_a_weekday', sql`digest_weekday between 1 and 7`),
    check('notification_settings_have_an_hour', sql`digest_hour between 0 and 23`),
    unique('notification_settings_once_per_digest_key').on(table.digestKey),
    index('notification_settings_by_due_digest')
      .on(table.digestDueAt)
      .where(sql`digest_due_at is not null`),
    pgPolicy('users decide when they are told', {
      for: 'all',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
      withCheck: sql`user_id = ${currentUser}`,
    }),
  ],
);

/** Digests that are to be sent, and those that were: one for a user and a day, whoever makes it. */
export const notificationDigests = privateSchema
  .table(
    'notification_digests',
    {
      id: id(),
      userId: uuid()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      /** The user's day on which it was due. */
      period: date().notNull(),
      /** It tells what came from here … */
      since: moment().notNull(),
      /** … up to here, this moment not included. */
      through: moment().notNull(),
      /** `dropped`: there was nothing to say any more. */
      status: text({ enum: ['queued', 'sent', 'dropped', 'failed'] })
        .notNull()
        .default('queued'),
      /** Nobody takes it before: it was just made or failed, or somebody is sending it. */
      retryAt: moment().notNull().defaultNow(),
      attempts: integer().notNull().default(0),
      error: text(),
      createdAt: createdAt(),
      endedAt: moment(),
    },
    (table) => [
      unique('notification_digests_once_per_period').on(table.userId, table.period),
      check(
        'notification_digests_have_a_known_status',
        sql`status in ('queued', 'sent', 'dropped', 'failed')`,
      ),
      index('notification_digests_by_retry')
        .on(table.retryAt)
        .where(sql`status = 'queued'`),
      index('notification_digests_by_age').on(table.createdAt),
    ],
  )
  .enableRLS();
