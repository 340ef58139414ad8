import { sql } from 'drizzle-orm';
import {
  bigint,
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
  uniqueIndex,
  uuid,
  type AnyPgColumn,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses, lessons } from '../catalog/tables.ts';
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
import { REACTIONS, REPORT_REASONS, REPORT_STATUSES, THREAD_LEVELS } from './kinds.ts';

/** `column in ('a', 'b')`, for a check. */
const isOneOf = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`);

// Whether one may see the thread of a message (the policy of threads says so), and whether it is open.
// Values, not `in` or `exists`: those are planned as the set of all threads that one may see, which
// took 6 ms a page in a course with 5,000 of them.
const seesThread = sql`(select true from public.discussion_threads as thread where thread.id = thread_id)`;
const seesOpenThread = sql`(select thread.is_active from public.discussion_threads as thread where thread.id = thread_id)`;

/**
 * A discussion in a course, perhaps about one of its lessons. Its maker's name goes with the maker;
 * the discussion stays. Members open threads; what becomes of them (pinned, locked, closed,
 * answered) is decided by the course's staff.
 */
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
    /** Nobody writes in a thread that isn't: it is closed, and can be read. */
    isActive: boolean().notNull().default(true),
    isPinned: boolean().notNull().default(false),
    /** Only staff write in it. */
    isLocked: boolean().notNull().default(false),
    /** Seconds between two messages of one student; 0 for as fast as they like. */
    slowModeSeconds: integer().notNull().default(0),
    /** The message that answers what the thread asks, as its staff see it. */
    answerId: uuid().references((): AnyPgColumn => threadMessages.id, { onDelete: 'set null' }),
    /** The number of its newest message, which is how many it has. Kept by a trigger. */
    lastNumber: integer().notNull().default(0),
    /** When it last had a message; before the first one, when it was opened. Kept by a trigger. */
    lastMessageAt: moment().notNull().defaultNow(),
    lastSenderId: uuid().references(() => users.id, { onDelete: 'set null' }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    check('discussion_threads_have_a_title', sql`char_length(title) between 1 and 255`),
    check('discussion_threads_slow_down_to_an_hour', sql`slow_mode_seconds between 0 and 3600`),
    check('discussion_threads_count_up', sql`last_number >= 0`),
    index('discussion_threads_newest_first').on(table.courseId, table.createdAt, table.id),
    index('discussion_threads_as_listed').on(
      table.courseId,
      table.isPinned,
      table.lastMessageAt,
      table.id,
    ),
    index('discussion_threads_by_lesson')
      .on(table.lessonId)
      .where(sql`lesson_id is not null`),
    pgPolicy('members of a course see its threads', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${joinedCourses}`,
    }),
    pgPolicy('members of a course open threads in their own name', {
      for: 'insert',
      to: authenticatedRole,
      withCheck: sql`created_by = ${currentUser} and course_id in ${joinedCourses}`,
    }),
    pgPolicy('staff of a course moderate its threads', {
      for: 'update',
      to: authenticatedRole,
      using: sql`course_id in ${taughtCourses}`,
      withCheck: sql`course_id in ${taughtCourses}`,
    }),
  ],
);

/**
 * A message in a discussion. `number` counts within the thread from 1, without holes, in the order
 * of commits, so it is a place in the thread, and unread messages are a difference of two numbers.
 * A deleted message keeps its place and loses its content. Its `id` may be chosen by the sender:
 * sent twice, it is written once.
 */
export const threadMessages = pgTable(
  'thread_messages',
  {
    id: id(),
    threadId: uuid()
      .notNull()
      .references(() => discussionThreads.id, { onDelete: 'cascade' }),
    /** Given by a trigger, whatever is written here. */
    number: integer().notNull().default(0),
    senderId: uuid().references(() => users.id, { onDelete: 'set null' }),
    /** The message that this one replies to; never a reply itself. */
    parentId: uuid().references((): AnyPgColumn => threadMessages.id, { onDelete: 'set null' }),
    /** Markdown, as it was written. Nothing that shows it may trust it. */
    content: text().notNull(),
    /** The members of the course that the content names (`[@…](mention:<id>)`). By a trigger. */
    mentions: uuid().array().notNull().default([]),
    /** An instructor says that this is right. */
    endorsedBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    /** A student's, and endorsed or their thread's answer: by a trigger (achievements/helpful.sql). */
    isHelpful: boolean().notNull().default(false),
    createdAt: createdAt(),
    editedAt: moment(),
    deletedAt: moment(),
    deletedBy: uuid().references(() => users.id, { onDelete: 'set null' }),
  },
  (table) => [
    check(
      'thread_messages_say_something',
      sql`char_length(content) <= 20000 and (content ~ '\\S' or deleted_at is not null)`,
    ),
    uniqueIndex('thread_messages_in_order').on(table.threadId, table.number),
    index('thread_messages_newest_first').on(table.threadId, table.createdAt, table.id),
    index('thread_messages_by_sender').on(table.senderId, table.createdAt),
    index('thread_messages_replies')
      .on(table.parentId, table.number)
      .where(sql`parent_id is not null`),
    index('thread_messages_by_words').using('gin', sql`to_tsvector('english', content)`),
    pgPolicy('members of a course see the messages of its threads', {
      for: 'select',
      to: authenticatedRole,
      using: seesThread,
    }),
    pgPolicy('members of a course write in its open threads in their own name', {
      for: 'insert',
      to: authenticatedRole,
      withCheck: sql`sender_id = ${currentUser} and ${seesOpenThread}`,
    }),
    pgPolicy('senders edit their messages in open threads', {
      for: 'update',
      to: authenticatedRole,
      using: sql`sender_id = ${currentUser} and deleted_at is null and ${seesOpenThread}`,
      withCheck: sql`sender_id = ${currentUser}`,
    }),
  ],
);

/** What a message said before it was edited or deleted. Of a deleted one, for staff only. */
export const threadMessageRevisions = pgTable(
  'thread_message_revisions',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    messageId: uuid()
      .notNull()
      .references(() => threadMessages.id, { onDelete: 'cascade' }),
    content: text().notNull(),
    /** Since when the message had said this. */
    writtenAt: moment().notNull(),
    replacedAt: createdAt(),
  },
  (table) => [
    index('thread_message_revisions_in_order').on(table.messageId, table.id),
    pgPolicy('members see what messages said before, staff also of deleted ones', {
      for: 'select',
      to: authenticatedRole,
      using: sql`exists (select 1 from public.thread_messages as message join public.discussion_threads as thread on thread.id = message.thread_id where message.id = message_id and (message.deleted_at is null or thread.course_id in ${taughtCourses}))`,
    }),
  ],
);

/** That someone answered a message with a sign. */
export const threadMessageReactions = pgTable(
  'thread_message_reactions',
  {
    messageId: uuid()
      .notNull()
      .references(() => threadMessages.id, { onDelete: 'cascade' }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    emoji: text({ enum: REACTIONS }).notNull(),
  },
  (table) => [
    primaryKey({
      name: 'thread_message_reactions_once_per_sign',
      columns: [table.messageId, table.emoji, table.userId],
    }),
    check('thread_message_reactions_are_known', isOneOf('emoji', REACTIONS)),
    index('thread_message_reactions_by_user').on(table.userId),
    pgPolicy('users see their reactions', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
    pgPolicy('users react to what they can read and is still there', {
      for: 'insert',
      to: authenticatedRole,
      withCheck: sql`user_id = ${currentUser} and exists (select 1 from public.thread_messages as message where message.id = message_id and message.deleted_at is null and ${seesOpenThread})`,
    }),
    pgPolicy('users take their reactions back', {
      for: 'delete',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);

/**
 * How far someone has read in a thread, and how closely they follow it. Unread are the messages
 * with a number above `read_number`; who writes has read. No row: never opened.
 */
export const threadReaders = pgTable(
  'thread_readers',
  {
    threadId: uuid()
      .notNull()
      .references(() => discussionThreads.id, { onDelete: 'cascade' }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    readNumber: integer().notNull().default(0),
    level: text({ enum: THREAD_LEVELS }).notNull().default('normal'),
  },
  (table) => [
    primaryKey({ name: 'thread_readers_once', columns: [table.threadId, table.userId] }),
    check('thread_readers_have_a_known_level', isOneOf('level', THREAD_LEVELS)),
    check('thread_readers_count_up', sql`read_number >= 0`),
    index('thread_readers_by_user').on(table.userId),
    pgPolicy('users see how far they have read', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);

/** That someone thinks a message shouldn't stand, with the message as it was at that moment. */
export const threadMessageReports = pgTable(
  'thread_message_reports',
  {
    id: id(),
    messageId: uuid()
      .notNull()
      .references(() => threadMessages.id, { onDelete: 'cascade' }),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    reporterId: uuid().references(() => users.id, { onDelete: 'set null' }),
    reason: text({ enum: REPORT_REASONS }).notNull(),
    note: text().notNull().default(''),
    snapshot: jsonb().$type<Record<string, unknown>>().notNull(),
    status: text({ enum: REPORT_STATUSES }).notNull().default('open'),
    resolvedBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    resolvedAt: moment(),
    createdAt: createdAt(),
  },
  (table) => [
    unique('thread_message_reports_once_per_reporter').on(table.messageId, table.reporterId),
    check('thread_message_reports_have_a_known_reason', isOneOf('reason', REPORT_REASONS)),
    check('thread_message_reports_have_a_known_status', isOneOf('status', REPORT_STATUSES)),
    check('thread_message_reports_have_a_short_note', sql`char_length(note) <= 1000`),
    index('thread_message_reports_newest_first').on(table.courseId, table.createdAt, table.id),
    pgPolicy('reporters see their reports, staff those of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`reporter_id = ${currentUser} or course_id in ${taughtCourses}`,
    }),
  ],
);

/** Threads with new messages that the list of their course hasn't been told of: see activity.sql. */
export const dueThreads = privateSchema
  .table('due_threads', {
    threadId: uuid()
      .primaryKey()
      .references(() => discussionThreads.id, { onDelete: 'cascade' }),
  })
  .enableRLS();
