import { sql } from 'drizzle-orm';
import {
  bigint,
  check,
  index,
  integer,
  jsonb,
  numeric,
  pgPolicy,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { createdAt, currentUser, id, moment, taughtCourses, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** What a student can have done in a course. */
export const ACTIVITY_TYPES = [
  'enrolled',
  'registered',
  'checked_in',
  'completed_lesson',
  'completed_module',
  'completed_course',
  'reviewed',
  'paid',
  'asked',
] as const;

/** The feed of a course: what students did. Written by triggers. */
export const studentActivity = pgTable(
  'student_activity',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    activityType: text({ enum: ACTIVITY_TYPES }).notNull(),
    data: jsonb().$type<Record<string, unknown>>().notNull().default({}),
    createdAt: createdAt(),
  },
  (table) => [
    check(
      'student_activity_has_a_known_type',
      sql.raw(`activity_type = any ('{${ACTIVITY_TYPES.join(',')}}')`),
    ),
    index('student_activity_of_course_newest_first').on(table.courseId, table.createdAt, table.id),
    index('student_activity_by_user').on(table.userId, table.createdAt),
    pgPolicy('students see what they did, staff what was done in their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or course_id in ${taughtCourses}`,
    }),
  ],
);

/**
 * The figures of a course, one row each. Counted late, by a job that reads the numbered events of
 * the staff's topic: what happens in a course costs nothing more for them. `counted_seq` is the
 * number of the last event that is in them; with those after it they are exact (stats.sql).
 */
export const courseStats = pgTable(
  'course_stats',
  {
    courseId: uuid()
      .primaryKey()
      .references(() => courses.id, { onDelete: 'cascade' }),
    /** Not cancelled. */
    totalEnrollments: integer().notNull().default(0),
    completedCount: integer().notNull().default(0),
    ratingCount: integer().notNull().default(0),
    ratingSum: integer().notNull().default(0),
    averageRating: numeric({ precision: 3, scale: 2, mode: 'number' }).generatedAlwaysAs(
      sql`case when rating_count > 0 then round(rating_sum::numeric / rating_count, 2) end`,
    ),
    /** Students of the course who are in it now. */
    onlineStudents: integer().notNull().default(0),
    /** What was paid and not given back, in cents, by currency. */
    revenue: jsonb().$type<Record<string, number>>().notNull().default({}),
    countedSeq: bigint({ mode: 'number' }).notNull().default(0),
    /** Up to which hour `course_activity_hours` is counted. */
    hoursCountedAt: moment().notNull().defaultNow(),
    updatedAt: updatedAt(),
  },
  () => [
    check(
      'course_stats_count_up',
      sql`total_enrollments >= 0 and completed_count >= 0 and rating_count >= 0 and rating_sum >= 0 and online_students >= 0`,
    ),
    pgPolicy('staff see the figures of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${taughtCourses}`,
    }),
  ],
);

/**
 * How much happened in a course, by kind and quarter of an hour: what charts are made of. Counted by
 * a job. Quarters, because days and hours begin on one in every time zone there is (Kolkata is 5:30
 * ahead of UTC, Kathmandu 5:45).
 */
export const courseActivityHours = pgTable(
  'course_activity_hours',
  {
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    activityType: text({ enum: ACTIVITY_TYPES }).notNull(),
    hour: moment().notNull(),
    /** Which quarter of that hour: 0–3. */
    quarter: smallint().notNull().default(0),
    /** Of payments; empty otherwise. */
    currency: text().notNull().default(''),
    count: integer().notNull(),
    /** Of payments: cents. Of reviews: the ratings added up. */
    amount: bigint({ mode: 'number' }).notNull().default(0),
  },
  (table) => [
    primaryKey({
      name: 'course_activity_hours_once_per_kind',
      columns: [table.courseId, table.activityType, table.hour, table.quarter, table.currency],
    }),
    check('course_activity_hours_count_up', sql`count > 0`),
    check('course_activity_hours_have_four_quarters', sql`quarter between 0 and 3`),
    pgPolicy('staff see how much happens in their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${taughtCourses}`,
    }),
  ],
);
