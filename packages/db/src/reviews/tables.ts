import { sql } from 'drizzle-orm';
import { check, index, pgPolicy, pgTable, smallint, text, unique, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { createdAt, currentUser, id, moment, taughtCourses, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** What a student thinks of a course: one each. */
export const courseReviews = pgTable(
  'course_reviews',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    rating: smallint().notNull(),
    comment: text().notNull().default(''),
    /** What the staff of the course answers; empty: nothing. */
    reply: text().notNull().default(''),
    repliedBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    repliedAt: moment(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('course_reviews_once_per_student').on(table.userId, table.courseId),
    check('course_reviews_rate_from_1_to_5', sql`rating between 1 and 5`),
    check('course_reviews_have_a_short_comment', sql`char_length(comment) <= 5000`),
    check('course_reviews_have_a_short_reply', sql`char_length(reply) <= 5000`),
    index('course_reviews_newest_first').on(table.courseId, table.createdAt, table.id),
    pgPolicy('users see the reviews of courses they see', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or course_id in ${taughtCourses} or exists (select 1 from public.courses where courses.id = course_id)`,
    }),
    pgPolicy('students who are enrolled review in their own name', {
      for: 'insert',
      to: authenticatedRole,
      withCheck: sql`user_id = ${currentUser} and exists (select 1 from public.enrollments where enrollments.user_id = ${currentUser} and enrollments.course_id = course_reviews.course_id and enrollments.status <> 'cancelled')`,
    }),
    pgPolicy('students change their own reviews', {
      for: 'update',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
      withCheck: sql`user_id = ${currentUser}`,
    }),
    pgPolicy('students take their own reviews back', {
      for: 'delete',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);
