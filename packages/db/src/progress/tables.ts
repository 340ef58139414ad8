import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  date,
  index,
  integer,
  jsonb,
  numeric,
  pgPolicy,
  pgTable,
  primaryKey,
  real,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { lessons, modules } from '../catalog/tables.ts';
import { currentUser, id, moment, taughtCourses, updatedAt } from '../columns.ts';
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
    index('lesson_completions_by_lesson').on(table.lessonId, table.completedAt),
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
    index('module_completions_by_module').on(table.moduleId, table.completedAt),
    pgPolicy('students see their modules done, staff those of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or module_id in (select id from public.modules where course_id in ${taughtCourses})`,
    }),
  ],
);

/** How far a student is in a lesson: where they were last, how long, and how well. */
export const lessonProgress = pgTable(
  'lesson_progress',
  {
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    lessonId: uuid()
      .notNull()
      .references(() => lessons.id, { onDelete: 'cascade' }),
    /** How much of the text lies above, or of the video behind: 0–1. */
    place: real().notNull().default(0),
    timeSpentSeconds: integer().notNull().default(0),
    attempts: integer().notNull().default(0),
    /** Of all attempts at the quiz, 0–100; null before the first. */
    bestScore: numeric({ precision: 5, scale: 2, mode: 'number' }),
    updatedAt: updatedAt(),
  },
  (table) => [
    primaryKey({
      name: 'lesson_progress_once_per_student',
      columns: [table.userId, table.lessonId],
    }),
    check('lesson_progress_has_a_place_in_the_lesson', sql`place between 0 and 1`),
    check('lesson_progress_counts_up', sql`time_spent_seconds >= 0 and attempts >= 0`),
    check('lesson_progress_score_is_a_percentage', sql`best_score between 0 and 100`),
    index('lesson_progress_by_lesson').on(table.lessonId),
    pgPolicy('students see how far they are, staff in their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or lesson_id in (select lessons.id from public.lessons join public.modules on modules.id = lessons.module_id where modules.course_id in ${taughtCourses})`,
    }),
  ],
);

/** A student's attempt at a quiz, scored when it was handed in. */
export const quizAttempts = pgTable(
  'quiz_attempts',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    lessonId: uuid()
      .notNull()
      .references(() => lessons.id, { onDelete: 'cascade' }),
    number: integer().notNull(),
    /** The revision of the lesson that was answered. */
    revision: integer().notNull(),
    /** By the question's id: ids of choices, or a text. */
    answers: jsonb().$type<Record<string, string[] | string>>().notNull(),
    /** By the question's id: whether it was answered right. */
    results: jsonb().$type<Record<string, boolean>>().notNull(),
    score: numeric({ precision: 5, scale: 2, mode: 'number' }).notNull(),
    isPassed: boolean().notNull(),
    submittedAt: moment().notNull().defaultNow(),
  },
  (table) => [
    unique('quiz_attempts_have_a_number').on(table.userId, table.lessonId, table.number),
    check('quiz_attempts_score_is_a_percentage', sql`score between 0 and 100`),
    check('quiz_attempts_count_up', sql`number >= 1`),
    index('quiz_attempts_by_lesson').on(table.lessonId, table.submittedAt),
    pgPolicy('students see their attempts, staff those in their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or lesson_id in (select lessons.id from public.lessons join public.modules on modules.id = lessons.module_id where modules.course_id in ${taughtCourses})`,
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
    lessonsCompleted: integer().notNull().default(0),
    coursesCompleted: integer().notNull().default(0),
    certificatesEarned: integer().notNull().default(0),
    /** In lessons that were completed. */
    timeSpentSeconds: integer().notNull().default(0),
    /** The same in whole minutes, as the guide counts points. */
    totalTimeSpent: integer().notNull().default(0),
    /** Of the best scores in all quizzes tried. */
    averageScore: numeric({ precision: 5, scale: 2, mode: 'number' }),
    helpfulAnswers: integer().notNull().default(0),
    currentStreakDays: integer().notNull().default(0),
    longestStreakDays: integer().notNull().default(0),
    /** The last day with a lesson completed, in the student's time zone. */
    lastActiveDay: date(),
    lastActiveAt: moment(),
    /** When time in a lesson was last reported: no two tabs can count the same minute. */
    timeReportedAt: moment(),
    updatedAt: updatedAt(),
  },
  () => [
    check(
      'learning_stats_count_up',
      sql`lessons_completed >= 0 and courses_completed >= 0 and certificates_earned >= 0 and time_spent_seconds >= 0 and total_time_spent >= 0 and helpful_answers >= 0 and current_streak_days >= 0 and longest_streak_days >= current_streak_days`,
    ),
    check('learning_stats_score_is_a_percentage', sql`average_score between 0 and 100`),
    pgPolicy('students see their own totals', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);
