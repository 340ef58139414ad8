import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  customType,
  index,
  integer,
  pgPolicy,
  pgTable,
  primaryKey,
  smallint,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import {
  createdAt,
  currentUser,
  id,
  joinedCourses,
  moment,
  taughtCourses,
  updatedAt,
} from '../columns.ts';
import { users } from '../identity/tables.ts';
import { privateSchema } from '../live/tables.ts';
import { ATTENDANCE_ACTIONS, CHECK_IN_METHODS } from './kinds.ts';

const bytea = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' });
const tstzmultirange = customType<{ data: string }>({ dataType: () => 'tstzmultirange' });

/** A meeting at a set time, of a course; for its members, or open to everybody who is signed in. */
export const workshops = pgTable(
  'workshops',
  {
    id: id(),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    description: text().notNull().default(''),
    location: text(),
    meetingUrl: text(),
    startsAt: moment().notNull(),
    endsAt: moment().notNull(),
    timeZone: text().notNull().default('UTC'),
    /** Also those who aren't in the course may register. */
    isOpen: boolean().notNull().default(false),
    /** From when on one can check in: minutes before the start. */
    checkInOpensMinutes: integer().notNull().default(15),
    /** From when on one is late: minutes after the start. */
    lateAfterMinutes: integer().notNull().default(10),
    /** How many may register; without one, as many as want. */
    capacity: integer(),
    status: text({ enum: ['scheduled', 'live', 'ended', 'cancelled'] })
      .notNull()
      .default('scheduled'),
    /** Counts what a calendar shows of it, as iCalendar's SEQUENCE asks. */
    sequence: integer().notNull().default(0),
    createdBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    check('workshops_have_a_title', sql`char_length(title) between 1 and 200`),
    check('workshops_end_after_they_start', sql`ends_at > starts_at`),
    check('workshops_have_room', sql`capacity > 0`),
    check('workshops_have_a_web_address', sql`meeting_url ~ '^https://'`),
    check(
      'workshops_open_within_a_day',
      sql`check_in_opens_minutes between 0 and 1440 and late_after_minutes between 0 and 1440`,
    ),
    check(
      'workshops_have_a_known_status',
      sql`status in ('scheduled', 'live', 'ended', 'cancelled')`,
    ),
    index('workshops_by_start').on(table.courseId, table.startsAt, table.id),
    index('workshops_open_by_start')
      .on(table.startsAt, table.id)
      .where(sql`is_open`),
    pgPolicy('members of a course see its workshops', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${joinedCourses} or is_open`,
    }),
    pgPolicy('staff of a course plan its workshops', {
      for: 'insert',
      to: authenticatedRole,
      withCheck: sql`course_id in ${taughtCourses} and created_by = ${currentUser}`,
    }),
    pgPolicy('staff of a course change its workshops', {
      for: 'update',
      to: authenticatedRole,
      using: sql`course_id in ${taughtCourses}`,
      withCheck: sql`course_id in ${taughtCourses}`,
    }),
  ],
);

/**
 * A place in a workshop, or on its waiting list. There are never more places than the workshop has:
 * whoever comes later waits, whoever writes the row.
 */
export const workshopRegistrations = pgTable(
  'workshop_registrations',
  {
    id: id(),
    workshopId: uuid()
      .notNull()
      .references(() => workshops.id, { onDelete: 'cascade' }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    status: text({ enum: ['registered', 'waitlisted', 'cancelled', 'checked_in'] })
      .notNull()
      .default('registered'),
    registeredAt: createdAt(),
    checkedInAt: moment(),
    method: text({ enum: CHECK_IN_METHODS }),
    isLate: boolean().notNull().default(false),
    /** Which reminders were sent: 1 a day before, 2 an hour before. */
    remindersSent: smallint().notNull().default(0),
    /** Counts the changes of the status, for calendars. */
    sequence: integer().notNull().default(0),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('workshop_registrations_once_per_student').on(table.workshopId, table.userId),
    check(
      'workshop_registrations_have_a_known_status',
      sql`status in ('registered', 'waitlisted', 'cancelled', 'checked_in')`,
    ),
    check(
      'workshop_registrations_checked_in_have_a_moment',
      sql`(status = 'checked_in') = (checked_in_at is not null)`,
    ),
    index('workshop_registrations_in_order').on(table.workshopId, table.registeredAt, table.id),
    index('workshop_registrations_of_student_newest_first').on(
      table.userId,
      table.registeredAt,
      table.id,
    ),
    pgPolicy('students see their registrations, staff those of their workshops', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or workshop_id in (select id from public.workshops where course_id in ${taughtCourses})`,
    }),
  ],
);

/** From what a workshop's check-in codes are made; read by functions of the database only. */
export const workshopSecrets = privateSchema
  .table('workshop_secrets', {
    workshopId: uuid()
      .primaryKey()
      .references(() => workshops.id, { onDelete: 'cascade' }),
    secret: bytea().notNull(),
  })
  .enableRLS();

/**
 * The secret in the address of someone's calendar; who has it reads the calendar and nothing else.
 * Kept as it is, since it is shown again, and lies beside all that it could tell.
 */
export const calendarFeeds = privateSchema
  .table('calendar_feeds', {
    userId: uuid()
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    token: text().notNull().unique('calendar_feeds_have_a_token_of_their_own'),
    createdAt: createdAt(),
  })
  .enableRLS();

/** Wrong codes, to hold up who guesses. */
export const checkInAttempts = privateSchema
  .table(
    'check_in_attempts',
    {
      workshopId: uuid()
        .notNull()
        .references(() => workshops.id, { onDelete: 'cascade' }),
      userId: uuid()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      attemptedAt: createdAt(),
    },
    (table) => [
      index('check_in_attempts_newest_first').on(table.workshopId, table.userId, table.attemptedAt),
    ],
  )
  .enableRLS();

/**
 * Every check-in and every undoing, for good: rows are never changed nor removed. Each carries the
 * hash of itself and of the hash before it, so a change anywhere breaks the chain. A person's id
 * stays when the person has gone; the name isn't here.
 */
export const attendanceLog = pgTable(
  'attendance_log',
  {
    workshopId: uuid()
      .notNull()
      .references(() => workshops.id),
    /** 1, 2, 3 … within the workshop. */
    number: integer().notNull(),
    userId: uuid().notNull(),
    action: text({ enum: ATTENDANCE_ACTIONS }).notNull(),
    method: text({ enum: CHECK_IN_METHODS }).notNull(),
    /** When it happened; earlier than recorded where the network was away. */
    happenedAt: moment().notNull(),
    recordedAt: moment().notNull(),
    /** Who did it: the person, or an instructor. */
    actorId: uuid().notNull(),
    /** The session that it came from, where the token names it. */
    sessionId: text(),
    reason: text().notNull().default(''),
    previousHash: text().notNull(),
    hash: text().notNull(),
  },
  (table) => [
    primaryKey({ name: 'attendance_log_in_order', columns: [table.workshopId, table.number] }),
    check('attendance_log_has_short_reasons', sql`char_length(reason) <= 500`),
    pgPolicy('people see their attendance, staff that of their workshops', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or workshop_id in (select id from public.workshops where course_id in ${taughtCourses})`,
    }),
  ],
);

/** When someone was seen in a workshop, on any device: the union of all intervals. */
export const workshopPresence = pgTable(
  'workshop_presence',
  {
    workshopId: uuid()
      .notNull()
      .references(() => workshops.id, { onDelete: 'cascade' }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    seen: tstzmultirange().notNull(),
    lastSeenAt: moment().notNull(),
  },
  (table) => [
    primaryKey({ name: 'workshop_presence_once', columns: [table.workshopId, table.userId] }),
    index('workshop_presence_by_user').on(table.userId),
    pgPolicy('people see when they were seen, staff of their workshops', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or workshop_id in (select id from public.workshops where course_id in ${taughtCourses})`,
    }),
  ],
);
