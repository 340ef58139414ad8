import * as z from 'zod';
import { personSchema } from '../identity/person-contract.ts';
import { liveOutput } from '../live/contract.ts';
import { pageInput } from '../pagination/contract.ts';
import { REPORT_REASONS, REPORT_STATUSES } from './kinds-contract.ts';
import { messageInput, toldMessageSchema } from './messages-contract.ts';

/** Says that a message is right, or takes that back. For staff. */
export const endorseInput = messageInput.extend({ isEndorsed: z.boolean() });

/** Changes what may happen in a thread; what isn't given stays. For staff. */
export const moderateInput = z.object({
  threadId: z.guid(),
  title: z.string().trim().min(1).max(255).optional(),
  isPinned: z.boolean().optional(),
  isLocked: z.boolean().optional(),
  isClosed: z.boolean().optional(),
  slowModeSeconds: z.int().min(0).max(3600).optional(),
  /** The message that answers the thread; null: it has no answer. */
  answerId: z.guid().nullable().optional(),
});

/** Says that a message shouldn't stand. */
export const reportInput = messageInput.extend({
  reason: z.enum(REPORT_REASONS),
  note: z.string().max(1000).default(''),
});

/** The report; the first one of this person about this message. */
export const reportOutput = z.object({ reportId: z.guid() });

/** A report, with the message as it was when it was reported. */
export const threadReportSchema = z.object({
  id: z.guid(),
  messageId: z.guid(),
  reporter: personSchema.nullable(),
  reason: z.enum(REPORT_REASONS),
  note: z.string(),
  snapshot: toldMessageSchema.extend({ threadTitle: z.string() }),
  status: z.enum(REPORT_STATUSES),
  resolvedBy: personSchema.nullable(),
  resolvedAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
});

/** A report, with the message as it was when it was reported. */
export type ThreadReport = z.infer<typeof threadReportSchema>;

/** Asks for a course's reports, newest first. For staff. */
export const reportsInput = pageInput.extend({
  courseId: z.guid(),
  status: z.enum(REPORT_STATUSES).optional(),
});

/** A course's reports, live on `course:<id>:staff`. */
export const reportsOutput = liveOutput(
  z.object({ items: z.array(threadReportSchema), nextCursor: z.string().nullable() }),
);

/** Decides about all open reports of a message. For staff. */
export const resolveInput = messageInput.extend({ status: z.enum(['dismissed', 'removed']) });

/** How many reports that resolved. */
export const resolveOutput = z.object({ resolvedCount: z.int().min(0) });

/** What `course:<id>:staff` tells about reports, by the event's name. */
export const threadReportEventSchemas = {
  'report.updated': z.object({ report: threadReportSchema }),
} as const;
