import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
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
      .on(table.createdAt.desc(), table.id.desc())
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
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('modules_have_a_place_of_their_own').on(table.courseId, table.position),
    check('modules_have_a_title', sql`char_length(title) between 1 and 200`),
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
    position: integer().notNull(),
    durationMinutes: integer().notNull().default(0),
    isPublished: boolean().notNull().default(true),
    isRequired: boolean().notNull().default(true),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('lessons_have_a_place_of_their_own').on(table.moduleId, table.position),
    check('lessons_have_a_title', sql`char_length(title) between 1 and 200`),
    check('lessons_have_a_known_kind', sql`kind in ('text', 'video', 'quiz')`),
    check('lessons_take_no_negative_time', sql`duration_minutes >= 0`),
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
