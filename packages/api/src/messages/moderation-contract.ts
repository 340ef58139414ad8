import * as z from 'zod';
import { REPORT_REASONS, REPORT_STATUSES } from '../discussions/kinds-contract.ts';
import { personSchema } from '../identity/person-contract.ts';
import { liveOutput } from '../live/contract.ts';
import { pageInput } from '../pagination/contract.ts';

/** A report of a direct message, with the message as it was when it was reported. */
export const messageReportSchema = z.object({
  id: z.guid(),
  messageId: z.guid(),
  reporter: personSchema.nullable(),
  reason: z.enum(REPORT_REASONS),
  note: z.string(),
  snapshot: z.object({
    content: z.string(),
    createdAt: z.iso.datetime(),
    sender: personSchema.nullable(),
  }),
  status: z.enum(REPORT_STATUSES),
  resolvedBy: personSchema.nullable(),
  resolvedAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
});

/** A report of a direct message, with the message as it was when it was reported. */
export type MessageReport = z.infer<typeof messageReportSchema>;

/** Asks for reports of direct messages, newest first. For administrators. */
export const reportsInput = pageInput.extend({ status: z.enum(REPORT_STATUSES).optional() });

/** Reports of direct messages, live on each administrator's `user:<uid>`. */
export const reportsOutput = liveOutput(
  z.object({ items: z.array(messageReportSchema), nextCursor: z.string().nullable() }),
);

/** Decides about all open reports of a direct message. For administrators. */
export const resolveInput = z.object({
  messageId: z.guid(),
  status: z.enum(['dismissed', 'removed']),
});

/** How many reports that resolved. */
export const resolveOutput = z.object({ resolvedCount: z.int().min(0) });

/** What an administrator's `user:<uid>` tells about reports, by the event's name. */
export const messageReportEventSchemas = {
  'message_report.updated': z.object({ report: messageReportSchema }),
} as const;
