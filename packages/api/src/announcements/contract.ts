import * as z from 'zod';
import { pageInput } from '../pagination/contract.ts';

const countSchema = z.int().min(0);

/** News for the students of one course or of several. */
export const announcementSchema = z.object({
  id: z.guid(),
  title: z.string(),
  /** Markdown. */
  content: z.string(),
  status: z.enum(['draft', 'scheduled', 'sent']),
  scheduledAt: z.iso.datetime().nullable(),
  sentAt: z.iso.datetime().nullable(),
  recipientCount: countSchema,
  /** How many of them have read it; null for those who didn't write it. */
  readCount: countSchema.nullable(),
  courses: z.array(z.object({ id: z.guid(), slug: z.string(), title: z.string() })),
  createdAt: z.iso.datetime(),
});

/** News for the students of one course or of several. */
export type Announcement = z.infer<typeof announcementSchema>;

/** Asks for what the caller has announced or is about to, newest first. */
export const listInput = pageInput;

/** A part of the caller's announcements. */
export const listOutput = z.object({
  items: z.array(announcementSchema),
  nextCursor: z.string().nullable(),
});

/** Names an announcement. */
export const announcementInput = z.object({ id: z.guid() });

/**
 * Writes an announcement that isn't sent yet. The id is the caller's: the same again changes
 * nothing. With a moment it is scheduled, without one a draft.
 */
export const saveInput = z.object({
  id: z.guid(),
  title: z.string().trim().min(1, 'Enter a title.').max(200, 'Use at most 200 letters.'),
  content: z.string().trim().min(1, 'Write something.').max(5000, 'Use at most 5,000 letters.'),
  courseIds: z.array(z.guid()).min(1, 'Choose at least one course.').max(100),
  scheduledAt: z.iso.datetime({ offset: true }).nullable().default(null),
});

/** How many were told. */
export const sendOutput = z.object({ recipientCount: countSchema });

/** What was removed. */
export const removeOutput = z.object({ id: z.guid() });
