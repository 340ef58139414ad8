import { sql } from 'drizzle-orm';
import { boolean, check, index, pgPolicy, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses, lessons } from '../catalog/tables.ts';
import { createdAt, id, joinedCourses, moment, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** A discussion in a course. Its maker's name goes with the maker; the discussion stays. */
export const discussionThreads = pgTable(
  'discussion_threads',
  {
    id: id(),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    lessonId: uuid().references(() => lessons.id, { onDelete: 'set null' }),
    title: text().notNull(),
    createdBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    isActive: boolean().notNull().default(true),
    isPinned: boolean().notNull().default(false),
    isLocked: boolean().notNull().default(false),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    check('discussion_threads_have_a_title', sql`char_length(title) between 1 and 255`),
    index('discussion_threads_newest_first').on(
      table.courseId,
      table.createdAt.desc(),
      table.id.desc(),
    ),
    pgPolicy('members of a course see its threads', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${joinedCourses}`,
    }),
  ],
);

/** A message in a discussion. */
export const threadMessages = pgTable(
  'thread_messages',
  {
    id: id(),
    threadId: uuid()
      .notNull()
      .references(() => discussionThreads.id, { onDelete: 'cascade' }),
    senderId: uuid().references(() => users.id, { onDelete: 'set null' }),
    content: text().notNull(),
    createdAt: createdAt(),
    editedAt: moment(),
    deletedAt: moment(),
  },
  (table) => [
    check('thread_messages_say_something', sql`char_length(content) between 1 and 20000`),
    index('thread_messages_newest_first').on(
      table.threadId,
      table.createdAt.desc(),
      table.id.desc(),
    ),
    pgPolicy('members of a course see the messages of its threads', {
      for: 'select',
      to: authenticatedRole,
      using: sql`thread_id in (select id from public.discussion_threads where course_id in ${joinedCourses})`,
    }),
  ],
);
