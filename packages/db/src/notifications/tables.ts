import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgPolicy,
  pgTable,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { createdAt, currentUser, id, joinedCourses, moment, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';
import { privateSchema } from '../live/tables.ts';
import {
  NOTIFICATION_BOXES,
  NOTIFICATION_CHANNELS,
  NOTIFICATION_LEVELS,
  NOTIFICATION_TYPES,
} from './kinds.ts';

// Postgres parses a constraint's stored tree anew for each statement that writes: an array's literal
// is a third of a list.
const typeIsKnown = sql.raw(`type = any ('{${NOTIFICATION_TYPES.join(',')}}')`);

/**
 * What a user is told. Written by the database; the user may change `read_at` and `archived_at` (to
 * the server's clock or to null) and `snoozed_until`, and delete.
 */
export const notifications = pgTable(
  'notifications',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    type: text({ enum: NOTIFICATION_TYPES }).notNull(),
    level: text({ enum: NOTIFICATION_LEVELS }).notNull().default('info'),
    title: text().notNull(),
    message: text().notNull(),
    data: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    courseId: uuid().references(() => courses.id, { onDelete: 'cascade' }),
    relatedEntityType: text(),
    relatedEntityId: uuid(),
    /** How many happenings this one stands for. */
    count: integer().notNull().default(1),
    /** The same key tells the same user only once. */
    dedupeKey: text(),
    readAt: moment(),
    createdAt: createdAt(),
    expiresAt: moment(),
    archivedAt: moment(),
    /** Set until the job that brings it back has done so: the box it is in never depends on a clock. */
    snoozedUntil: moment(),
    /** When it last came back from being snoozed. */
    wokenAt: moment(),
    /** The moment that lists are ordered by: what comes back is on top again. */
    listedAt: moment()
      .notNull()
      .generatedAlwaysAs(sql`coalesce(woken_at, created_at)`),
    /** Where it is: in one box at a time. */
    box: text({ enum: NOTIFICATION_BOXES })
      .notNull()
      .generatedAlwaysAs(
        sql`case when archived_at is not null then 'archived' when snoozed_until is not null then 'snoozed' else 'inbox' end`,
      ),
  },
  (table) => [
    check('notifications_have_a_known_type', typeIsKnown),
    check('notifications_have_a_known_level', sql`level = any ('{info,success,warning,error}')`),
    check('notifications_have_a_title', sql`char_length(title) between 1 and 255`),
    check('notifications_have_a_short_message', sql`char_length(message) <= 5000`),
    check('notifications_data_is_an_object', sql`jsonb_typeof(data) = 'object'`),
    check('notifications_count_up', sql`count >= 1`),
    check('notifications_are_in_one_box', sql`archived_at is null or snoozed_until is null`),
    uniqueIndex('notifications_once_per_dedupe_key')
      .on(table.userId, table.dedupeKey)
      .where(sql`dedupe_key is not null`),
    // All of them, so that it also finds a user's who is erased.
    index('notifications_newest_first').on(table.userId, table.box, table.listedAt, table.id),
    index('notifications_unread_newest_first')
      .on(table.userId, table.box, table.listedAt, table.id)
      .where(sql`read_at is null`),
    index('notifications_by_waking')
      .on(table.snoozedUntil)
      .where(sql`snoozed_until is not null`),
    index('notifications_by_expiry')
      .on(table.expiresAt)
      .where(sql`expires_at is not null`),
    index('notifications_by_age').on(table.listedAt),
    index('notifications_by_course').on(table.courseId),
    // Not on what a merge changes (`related_entity_id`): that would write every index anew.
    index('notifications_of_announcement')
      .on(table.dedupeKey)
      .where(sql`type = 'announcement'`),
    pgPolicy('users see their own notifications', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
    pgPolicy('users mark their own notifications', {
      for: 'update',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
      withCheck: sql`user_id = ${currentUser}`,
    }),
    pgPolicy('users remove their own notifications', {
      for: 'delete',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);

/**
 * Whether a user wants notifications of a type on a channel, in one course or (null) in all. That of
 * the course goes first; without any, what `private.is_wanted_by_default` says.
 */
export const notificationPreferences = pgTable(
  'notification_preferences',
  {
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    type: text({ enum: NOTIFICATION_TYPES }).notNull(),
    channel: text({ enum: NOTIFICATION_CHANNELS }).notNull().default('app'),
    courseId: uuid().references(() => courses.id, { onDelete: 'cascade' }),
    enabled: boolean().notNull(),
    updatedAt: updatedAt(),
  },
  (table) => [
    // In this order the course's own comes before the general one: a lookup reads the first.
    unique('notification_preferences_once_per_type_channel_and_course')
      .on(table.userId, table.type, table.channel, table.courseId)
      .nullsNotDistinct(),
    index('notification_preferences_by_course').on(table.courseId),
    check('notification_preferences_have_a_known_type', typeIsKnown),
    check('notification_preferences_have_a_known_channel', sql`channel in ('app', 'email')`),
    pgPolicy('users keep their own preferences', {
      for: 'all',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
      withCheck: sql`user_id = ${currentUser} and (course_id is null or course_id in ${joinedCourses})`,
    }),
  ],
);

/** Notifications that could not be written: kept for the operator, beside the change they missed. */
export const notificationFailures = privateSchema
  .table(
    'notification_failures',
    {
      id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
      intents: jsonb().notNull(),
      sqlState: text().notNull(),
      reason: text().notNull(),
      createdAt: createdAt(),
    },
    (table) => [index('notification_failures_by_age').on(table.createdAt)],
  )
  .enableRLS();
