import { sql } from 'drizzle-orm';
import { check, index, jsonb, pgPolicy, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { createdAt, currentUser, id, taughtCourses } from '../columns.ts';
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
