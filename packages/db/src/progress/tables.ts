import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  numeric,
  pgPolicy,
  pgTable,
  primaryKey,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { lessons, modules } from '../catalog/tables.ts';
import { currentUser, moment, taughtCourses, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** A lesson that a student has done, once. */
export const lessonCompletions = pgTable(
  'lesson_completions',
  {
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    lessonId: uuid()
      .notNull()
      .references(() => lessons.id, { onDelete: 'cascade' }),
    timeSpentSeconds: integer().notNull().default(0),
    completedAt: moment().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({
      name: 'lesson_completions_once_per_student',
      columns: [table.userId, table.lessonId],
    }),
    check('lesson_completions_take_no_negative_time', sql`time_spent_seconds >= 0`),
    index('lesson_completions_by_lesson').on(table.lessonId, table.completedAt.desc()),
    pgPolicy('students see their lessons done, staff those of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or lesson_id in (select lessons.id from public.lessons join public.modules on modules.id = lessons.module_id where modules.course_id in ${taughtCourses})`,
    }),
  ],
);

/** A module that a student has done, once. */
export const moduleCompletions = pgTable(
  'module_completions',
  {
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    moduleId: uuid()
      .notNull()
      .references(() => modules.id, { onDelete: 'cascade' }),
    completedAt: moment().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({
      name: 'module_completions_once_per_student',
      columns: [table.userId, table.moduleId],
    }),
    index('module_completions_by_module').on(table.moduleId, table.completedAt.desc()),
    pgPolicy('students see their modules done, staff those of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or module_id in (select id from public.modules where course_id in ${taughtCourses})`,
    }),
  ],
);

/** Totals of a student, one row each, kept by the functions that change what they count. */
export const learningStats = pgTable(
  'learning_stats',
  {
    userId: uuid()
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    coursesCompleted: integer().notNull().default(0),
    certificatesEarned: integer().notNull().default(0),
    /** Minutes, as the guide counts points. */
    totalTimeSpent: integer().notNull().default(0),
    averageScore: numeric({ precision: 5, scale: 2, mode: 'number' }),
    currentStreakDays: integer().notNull().default(0),
    lastActiveAt: moment(),
    updatedAt: updatedAt(),
  },
  () => [
    check(
      'learning_stats_count_up',
      sql`courses_completed >= 0 and certificates_earned >= 0 and total_time_spent >= 0 and current_streak_days >= 0`,
    ),
    check('learning_stats_score_is_a_percentage', sql`average_score between 0 and 100`),
    pgPolicy('students see their own totals', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);
