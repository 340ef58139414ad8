import * as z from 'zod';
import { REACTIONS } from './kinds-contract.ts';
import { toldMessageSchema } from './messages-contract.ts';
import { readerSchema, threadSchema } from './threads-contract.ts';

export * from './messages-contract.ts';
export * from './moderation-contract.ts';
export * from './search-contract.ts';
export * from './threads-contract.ts';

/** What `thread:<id>` tells, by the event's name. */
export const threadEventSchemas = {
  'message.created': z.object({ message: toldMessageSchema }),
  'message.updated': z.object({ message: toldMessageSchema }),
  'message.reacted': z.object({
    messageId: z.guid(),
    emoji: z.enum(REACTIONS),
    userId: z.guid(),
    countDelta: z.union([z.literal(1), z.literal(-1)]),
  }),
  'thread.updated': z.object({ thread: threadSchema }),
} as const;

/** What `thread:<id>` tells, by the event's name. */
export type ThreadEvents = {
  [Name in keyof typeof threadEventSchemas]: z.infer<(typeof threadEventSchemas)[Name]>;
};

/** What `course:<id>` tells about its threads, by the event's name. */
export const threadListEventSchemas = {
  'thread.created': z.object({ thread: threadSchema }),
  /** New messages in some threads; at most once a second. */
  'thread.activity': z.object({ threads: z.array(threadSchema) }),
  'thread.updated': z.object({ thread: threadSchema }),
  'thread.removed': z.object({ threadId: z.guid() }),
} as const;

/** What `course:<id>` tells about its threads, by the event's name. */
export type ThreadListEvents = {
  [Name in keyof typeof threadListEventSchemas]: z.infer<(typeof threadListEventSchemas)[Name]>;
};

/** What `user:<uid>` tells about the user's reading, by the event's name. */
export const threadReaderEventSchemas = {
  'thread.read': readerSchema.extend({ courseId: z.guid() }),
} as const;

/** What `user:<uid>` tells about the user's reading, by the event's name. */
export type ThreadReaderEvents = {
  [Name in keyof typeof threadReaderEventSchemas]: z.infer<(typeof threadReaderEventSchemas)[Name]>;
};
