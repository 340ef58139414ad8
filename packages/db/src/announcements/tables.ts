import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { createdAt, currentUser, id, joinedCourses, moment, updatedAt } from '../columns.ts';
import { users } from '../identity/tables.ts';

/**
 * News for the students of one course or of several: a draft, then scheduled or sent. Written
 * through functions only (send.sql); once sent, it stays as it is.
 */
export const announcements = pgTable(
  'announcements',
  {
    id: id(),
    authorId: uuid().references(() => users.id, { onDelete: 'set null' }),
    title: text().notNull(),
    /** Markdown. */
    content: text().notNull(),
    status: text({ enum: ['draft', 'scheduled', 'sent'] })
      .notNull()
      .default('draft'),
    scheduledAt: moment(),
    sentAt: moment(),
    /** How many were told. */
    recipientCount: integer().notNull().default(0),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    check('announcements_have_a_title', sql`char_length(title) between 1 and 200`),
    check('announcements_have_a_short_text', sql`char_length(content) between 1 and 5000`),
    check('announcements_have_a_known_status', sql`status in ('draft', 'scheduled', 'sent')`),
    check(
      'announcements_scheduled_have_a_moment',
      sql`status <> 'scheduled' or scheduled_at is not null`,
    ),
    check('announcements_sent_have_a_moment', sql`(status = 'sent') = (sent_at is not null)`),
    index('announcements_of_author_newest_first').on(table.authorId, table.createdAt, table.id),
    index('announcements_due')
      .on(table.scheduledAt)
      .where(sql`status = 'scheduled'`),
    pgPolicy('authors see what they announce, members what was sent to their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`author_id = ${currentUser} or (status = 'sent' and id in (select announcement_id from public.announcement_courses where course_id in ${joinedCourses}))`,
    }),
  ],
);

/** The courses to which an announcement goes. */
export const announcementCourses = pgTable(
  'announcement_courses',
  {
    announcementId: uuid()
      .notNull()
      .references(() => announcements.id, { onDelete: 'cascade' }),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
  },
  (table) => [
    primaryKey({
      name: 'announcement_courses_once_each',
      columns: [table.announcementId, table.courseId],
    }),
    index('announcement_courses_by_course').on(table.courseId),
    pgPolicy('members see what goes to their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${joinedCourses}`,
    }),
  ],
);
