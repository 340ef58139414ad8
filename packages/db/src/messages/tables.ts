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
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { REPORT_STATUSES } from '../discussions/kinds.ts';
import { createdAt, currentUser, id, joinedCourses, moment, taughtCourses } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** What two people write each other. The one with the lower id is `low`. */
export const conversations = pgTable(
  'conversations',
  {
    id: id(),
    lowId: uuid().references(() => users.id, { onDelete: 'set null' }),
    highId: uuid().references(() => users.id, { onDelete: 'set null' }),
    /** The number of its newest message, which is how many it has. Kept by a trigger. */
    lastNumber: integer().notNull().default(0),
    lastMessageAt: moment().notNull().defaultNow(),
  },
  (table) => [
    unique('conversations_once_per_pair').on(table.lowId, table.highId),
    check('conversations_name_the_lower_first', sql`low_id < high_id`),
    index('conversations_of_low').on(table.lowId, table.lastMessageAt),
    index('conversations_of_high').on(table.highId, table.lastMessageAt),
    pgPolicy('the two see their conversation', {
      for: 'select',
      to: authenticatedRole,
      using: sql`low_id = ${currentUser} or high_id = ${currentUser}`,
    }),
  ],
);

/**
 * How far one of the two is: unread is what has a number above `read_number`, since who writes has
 * read. The other sees these numbers only where both want receipts, through functions.
 */
export const conversationReaders = pgTable(
  'conversation_readers',
  {
    conversationId: uuid()
      .notNull()
      .references(() => conversations.id, { onDelete: 'cascade' }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    readNumber: integer().notNull().default(0),
    /** What has reached one of their devices. */
    deliveredNumber: integer().notNull().default(0),
  },
  (table) => [
    primaryKey({
      name: 'conversation_readers_once',
      columns: [table.conversationId, table.userId],
    }),
    index('conversation_readers_by_user').on(table.userId),
    check('conversation_readers_count_up', sql`read_number >= 0 and delivered_number >= 0`),
    pgPolicy('users see how far they have read', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);

/**
 * A direct message from one person to another. Its `id` may be chosen by the sender: sent twice, it
 * is written once. `number` counts within the conversation, without holes.
 */
export const messages = pgTable(
  'messages',
  {
    id: id(),
    senderId: uuid().references(() => users.id, { onDelete: 'set null' }),
    recipientId: uuid().references(() => users.id, { onDelete: 'set null' }),
    content: text().notNull(),
    /** When the recipient read it; never set where one of the two wants no receipts. */
    readAt: moment(),
    createdAt: createdAt(),
    /** Both are given by a trigger. */
    conversationId: uuid().references(() => conversations.id, { onDelete: 'cascade' }),
    number: integer().notNull().default(0),
    /** When an administrator removed what it said; its place stays. */
    removedAt: moment(),
  },
  (table) => [
    check(
      'messages_say_something',
      sql`char_length(content) <= 20000 and (content <> '' or removed_at is not null)`,
    ),
    check('messages_go_to_someone_else', sql`sender_id <> recipient_id`),
    uniqueIndex('messages_in_order').on(table.conversationId, table.number),
    index('messages_sent_newest_first').on(
      table.senderId,
      table.recipientId,
      table.createdAt,
      table.id,
    ),
    index('messages_received_newest_first').on(
      table.recipientId,
      table.senderId,
      table.createdAt,
      table.id,
    ),
    index('messages_unread')
      .on(table.recipientId, table.senderId)
      .where(sql`read_at is null`),
    pgPolicy('sender and recipient see a message', {
      for: 'select',
      to: authenticatedRole,
      using: sql`sender_id = ${currentUser} or recipient_id = ${currentUser}`,
    }),
    pgPolicy('users write in their own name', {
      for: 'insert',
      to: authenticatedRole,
      withCheck: sql`sender_id = ${currentUser}`,
    }),
  ],
);

/** That someone wants nothing from someone else. Only they know. */
export const messageBlocks = pgTable(
  'message_blocks',
  {
    blockerId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    blockedId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ name: 'message_blocks_once', columns: [table.blockerId, table.blockedId] }),
    index('message_blocks_by_blocked').on(table.blockedId),
    pgPolicy('users keep their own blocks', {
      for: 'all',
      to: authenticatedRole,
      using: sql`blocker_id = ${currentUser}`,
      withCheck: sql`blocker_id = ${currentUser}`,
    }),
  ],
);

/** What someone wants others to see of their reading and typing. No row: both. */
export const messageSettings = pgTable(
  'message_settings',
  {
    userId: uuid()
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** Off, neither side sees what the other has read. */
    sendsReceipts: boolean().notNull().default(true),
    showsTyping: boolean().notNull().default(true),
  },
  () => [
    pgPolicy('users keep their own message settings', {
      for: 'all',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
      withCheck: sql`user_id = ${currentUser}`,
    }),
  ],
);

/** Whether a course's students may write each other. No row: they may. */
export const courseMessageSettings = pgTable(
  'course_message_settings',
  {
    courseId: uuid()
      .primaryKey()
      .references(() => courses.id, { onDelete: 'cascade' }),
    studentsMayWrite: boolean().notNull().default(true),
  },
  () => [
    pgPolicy('members see the switch of their course', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${joinedCourses}`,
    }),
    pgPolicy('staff set the switch', {
      for: 'all',
      to: authenticatedRole,
      using: sql`course_id in ${taughtCourses}`,
      withCheck: sql`course_id in ${taughtCourses}`,
    }),
  ],
);

/** That someone was sent what shouldn't have been, as it was then. For administrators. */
export const messageReports = pgTable(
  'message_reports',
  {
    id: id(),
    messageId: uuid()
      .notNull()
      .references(() => messages.id, { onDelete: 'cascade' }),
    reporterId: uuid().references(() => users.id, { onDelete: 'set null' }),
    reason: text().notNull(),
    note: text().notNull().default(''),
    snapshot: jsonb().$type<Record<string, unknown>>().notNull(),
    status: text({ enum: REPORT_STATUSES }).notNull().default('open'),
    resolvedBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    resolvedAt: moment(),
    createdAt: createdAt(),
  },
  (table) => [
    unique('message_reports_once_per_reporter').on(table.messageId, table.reporterId),
    check('message_reports_have_a_known_status', sql`status in ('open', 'dismissed', 'removed')`),
    index('message_reports_newest_first').on(table.status, table.createdAt, table.id),
    check(
      'message_reports_have_a_known_reason',
      sql`reason in ('spam', 'harassment', 'cheating', 'off_topic', 'other')`,
    ),
    check('message_reports_have_a_short_note', sql`char_length(note) <= 1000`),
    pgPolicy('reporters see their reports, administrators all', {
      for: 'select',
      to: authenticatedRole,
      using: sql`reporter_id = ${currentUser} or (select private.is_admin())`,
    }),
  ],
);
