import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  pgPolicy,
  pgTable,
  real,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { createdAt, currentUser, id, moment, taughtCourses, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';

/**
 * A student in a course. Students insert their own (`user_id`, `course_id`), in published courses
 * that cost nothing; all else about it is the server's.
 */
export const enrollments = pgTable(
  'enrollments',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    status: text({ enum: ['active', 'completed', 'cancelled'] })
      .notNull()
      .default('active'),
    /** 0–100, for showing. Whether the course is done is decided by counts, never by this. */
    progress: real().notNull().default(0),
    /** The version of the course that was finished; until then, the newest one counts. */
    courseVersion: integer(),
    /** How many lessons counted when the course was finished; until then, those of now do. */
    requiredCount: integer(),
    enrolledAt: createdAt(),
    completedAt: moment(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('enrollments_once_per_student').on(table.userId, table.courseId),
    check('enrollments_have_a_known_status', sql`status in ('active', 'completed', 'cancelled')`),
    check('enrollments_progress_is_a_percentage', sql`progress between 0 and 100`),
    check(
      'enrollments_completed_have_a_moment',
      sql`status <> 'completed' or completed_at is not null`,
    ),
    index('enrollments_of_student_newest_first').on(table.userId, table.enrolledAt, table.id),
    index('enrollments_of_course_newest_first').on(table.courseId, table.enrolledAt, table.id),
    pgPolicy('students see their enrollments, staff those of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or course_id in ${taughtCourses}`,
    }),
    pgPolicy('users enroll themselves in published courses without a price', {
      for: 'insert',
      to: authenticatedRole,
      withCheck: sql`user_id = ${currentUser} and exists (select 1 from public.courses where courses.id = course_id and courses.status = 'published' and courses.price_cents = 0)`,
    }),
  ],
);
