import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
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

/** Whether something can be seen by those who don't make it. */
export const PUBLICATION_STATES = ['draft', 'published', 'archived'] as const;

/** A file beside a lesson, by its address. */
export type Attachment = { title: string; url: string; mediaType: string; sizeBytes: number };

/** One question of a quiz. `correct` are ids of choices; `accepted` are texts, whatever their case. */
export type QuizQuestion = {
  id: string;
  prompt: string;
  points: number;
  explanation: string;
} & (
  | { kind: 'single' | 'multiple'; choices: { id: string; text: string }[]; correct: string[] }
  | { kind: 'short'; accepted: string[] }
);

/** What a lesson of kind `quiz` asks. Passing it completes the lesson. */
export type Quiz = {
  /** The score, 0–100, from which on the quiz is passed. */
  passPercent: number;
  /** How often a student may try; null: as often as they like. */
  attemptsMax: number | null;
  questions: QuizQuestion[];
};

/** A course. Drafts are seen by its staff only. */
export const courses = pgTable(
  'courses',
  {
    id: id(),
    slug: text().notNull(),
    title: text().notNull(),
    summary: text().notNull().default(''),
    description: text().notNull().default(''),
    coverUrl: text(),
    category: text().notNull().default('general'),
    level: text({ enum: ['beginner', 'intermediate', 'advanced'] })
      .notNull()
      .default('beginner'),
    status: text({ enum: PUBLICATION_STATES }).notNull().default('draft'),
    priceCents: integer().notNull().default(0),
    currency: text().notNull().default('EUR'),
    /** The newest of `course_versions`; 0 before the first. */
    version: integer().notNull().default(0),
    publishedAt: moment(),
    createdBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('courses_have_a_slug_of_their_own').on(table.slug),
    check('courses_have_a_readable_slug', sql`slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'`),
    check('courses_have_a_title', sql`char_length(title) between 1 and 200`),
    check('courses_have_a_known_level', sql`level in ('beginner', 'intermediate', 'advanced')`),
    check('courses_have_a_known_status', sql`status in ('draft', 'published', 'archived')`),
    check('courses_cost_nothing_or_more', sql`price_cents >= 0 and currency ~ '^[A-Z]{3}$'`),
    index('courses_published_newest_first')
      .on(table.createdAt, table.id)
      .where(sql`status = 'published'`),
    pgPolicy('users see published courses, and those they take part in', {
      for: 'select',
      to: authenticatedRole,
      using: sql`status = 'published' or id in ${joinedCourses}`,
    }),
  ],
);

/** A part of a course. */
export const modules = pgTable(
  'modules',
  {
    id: id(),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    summary: text().notNull().default(''),
    position: integer().notNull(),
    isPublished: boolean().notNull().default(true),
    /** Taken out of the course by its authors. */
    removedAt: moment(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('modules_have_a_place_of_their_own').on(table.courseId, table.position),
    check('modules_have_a_title', sql`char_length(title) between 1 and 200`),
    check('modules_removed_are_not_published', sql`removed_at is null or not is_published`),
    pgPolicy('users see the modules of courses they see', {
      for: 'select',
      to: authenticatedRole,
      using: sql`(is_published and exists (select 1 from public.courses where courses.id = course_id)) or course_id in ${taughtCourses}`,
    }),
  ],
);

/** A lesson. Its title is public like its course; its content is for those who take part. */
export const lessons = pgTable(
  'lessons',
  {
    id: id(),
    moduleId: uuid()
      .notNull()
      .references(() => modules.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    content: text().notNull().default(''),
    kind: text({ enum: ['text', 'video', 'quiz'] })
      .notNull()
      .default('text'),
    videoUrl: text(),
    /** WebVTT. */
    captionsUrl: text(),
    attachments: jsonb().$type<Attachment[]>().notNull().default([]),
    /** With the answers: never given to a student as it is. */
    quiz: jsonb().$type<Quiz>(),
    position: integer().notNull(),
    durationMinutes: integer().notNull().default(0),
    isPublished: boolean().notNull().default(true),
    isRequired: boolean().notNull().default(true),
    /** Goes up by one with each publication that changed what the lesson teaches. */
    revision: integer().notNull().default(1),
    /** Taken out of the course by its authors: out of sight, with its completions kept. */
    removedAt: moment(),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('lessons_have_a_place_of_their_own').on(table.moduleId, table.position),
    check('lessons_have_a_title', sql`char_length(title) between 1 and 200`),
    check('lessons_have_a_known_kind', sql`kind in ('text', 'video', 'quiz')`),
    check('lessons_take_a_day_at_most', sql`duration_minutes between 0 and 1440`),
    check('lessons_have_bounded_content', sql`octet_length(content) <= 262144`),
    check(
      'lessons_link_by_https',
      sql`video_url ~ '^(https://|/[^/\\\\])' and captions_url ~ '^(https://|/[^/\\\\])'`,
    ),
    check(
      'lessons_link_files_by_https',
      sql`not jsonb_path_exists(attachments, '$[*] ? (!(@.url like_regex "^(https://|/[^/\\\\\\\\])"))')`,
    ),
    check(
      'lessons_of_kind_quiz_have_one',
      sql`kind <> 'quiz' or not is_published or quiz is not null`,
    ),
    check('lessons_removed_are_not_published', sql`removed_at is null or not is_published`),
    pgPolicy('users see the lessons of modules they see', {
      for: 'select',
      to: authenticatedRole,
      using: sql`(is_published and exists (select 1 from public.modules where modules.id = module_id)) or module_id in (select id from public.modules where course_id in ${taughtCourses})`,
    }),
  ],
);

/** Who teaches which course. Everybody who sees a course sees who teaches it. */
export const courseInstructors = pgTable(
  'course_instructors',
  {
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({
      name: 'course_instructors_once_per_course',
      columns: [table.courseId, table.userId],
    }),
    index('course_instructors_by_user').on(table.userId, table.courseId),
    pgPolicy('users see who teaches the courses they see', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or exists (select 1 from public.courses where courses.id = course_id)`,
    }),
  ],
);

/** One publication of a course: what changed by it. The newest is what students are shown. */
export const courseVersions = pgTable(
  'course_versions',
  {
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    version: integer().notNull(),
    /** What the author says about it. */
    note: text().notNull().default(''),
    /** `[{ kind, lessonId | moduleId, title }]`, see `publish_course`. */
    changes: jsonb().$type<Record<string, unknown>[]>().notNull().default([]),
    publishedBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    publishedAt: moment().notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ name: 'course_versions_count_up', columns: [table.courseId, table.version] }),
    check('course_versions_begin_at_one', sql`version >= 1`),
    check('course_versions_have_a_short_note', sql`char_length(note) <= 2000`),
    pgPolicy('those who take part see what changed', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${joinedCourses}`,
    }),
  ],
);

/**
 * What the authors of a course have changed and not published yet: its own texts (`details`) and
 * its modules with the order of their lessons (`outline`). Each part has a number that goes up with
 * every save, so that of two authors the second to save learns of the first.
 */
export const courseDrafts = pgTable(
  'course_drafts',
  {
    courseId: uuid()
      .primaryKey()
      .references(() => courses.id, { onDelete: 'cascade' }),
    details: jsonb().$type<Record<string, unknown>>(),
    detailsVersion: integer().notNull().default(0),
    outline: jsonb().$type<Record<string, unknown>[]>(),
    outlineVersion: integer().notNull().default(0),
    updatedBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    updatedAt: updatedAt(),
  },
  () => [
    check(
      'course_drafts_are_bounded',
      sql`octet_length(details::text) <= 262144 and octet_length(outline::text) <= 1048576`,
    ),
    pgPolicy('staff see the drafts of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${taughtCourses}`,
    }),
  ],
);

/** What the authors have changed in a lesson and not published yet. `edit` is null when nothing. */
export const lessonDrafts = pgTable(
  'lesson_drafts',
  {
    lessonId: uuid()
      .primaryKey()
      .references(() => lessons.id, { onDelete: 'cascade' }),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    edit: jsonb().$type<Record<string, unknown>>(),
    version: integer().notNull().default(0),
    updatedBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    updatedAt: updatedAt(),
  },
  (table) => [
    index('lesson_drafts_by_course').on(table.courseId),
    check('lesson_drafts_are_bounded', sql`octet_length(edit::text) <= 1048576`),
    pgPolicy('staff see the drafts of the lessons of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${taughtCourses}`,
    }),
  ],
);

/**
 * What a lesson taught from a version of its course on, until the next of its rows. The newest is
 * what students are shown. Kept for lessons that have been taken out as well.
 */
export const lessonVersions = pgTable(
  'lesson_versions',
  {
    lessonId: uuid()
      .notNull()
      .references(() => lessons.id, { onDelete: 'cascade' }),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    /** Of the course; 0 for what was there before its first publication. */
    version: integer().notNull(),
    /** See `private.lesson_fields`. With the answers of a quiz: for staff only. */
    fields: jsonb().$type<Record<string, unknown>>().notNull(),
  },
  (table) => [
    primaryKey({
      name: 'lesson_versions_once_per_version',
      columns: [table.lessonId, table.version],
    }),
    index('lesson_versions_by_course').on(table.courseId),
    check('lesson_versions_begin_at_zero', sql`version >= 0`),
    pgPolicy('staff see the earlier texts of the lessons of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${taughtCourses}`,
    }),
  ],
);
