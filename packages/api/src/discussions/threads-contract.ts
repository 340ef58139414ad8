import * as z from 'zod';
import { personSchema } from '../identity/person-contract.ts';
import { liveOutput } from '../live/contract.ts';
import { pageInput } from '../pagination/contract.ts';
import { THREAD_LEVELS } from './kinds-contract.ts';

/** A message's place in its thread: 1, 2, 3 … without holes, in the order of commits. */
export const numberSchema = z.int().min(1);

/** A discussion, the same for everybody. Times are UTC with microseconds. */
export const threadSchema = z.object({
  id: z.guid(),
  courseId: z.guid(),
  lessonId: z.guid().nullable(),
  title: z.string(),
  createdBy: personSchema.nullable(),
  createdAt: z.iso.datetime(),
  isPinned: z.boolean(),
  /** Only staff write in it. */
  isLocked: z.boolean(),
  /** Nobody writes in it. */
  isClosed: z.boolean(),
  /** Seconds between two messages of one student. */
  slowModeSeconds: z.int().min(0),
  /** The message that answers what the thread asks. */
  answerId: z.guid().nullable(),
  /** The number of the newest message, which is how many there are; 0 before the first. */
  lastNumber: z.int().min(0),
  lastMessageAt: z.iso.datetime(),
  lastSender: personSchema.nullable(),
});

/** A discussion, the same for everybody. Times are UTC with microseconds. */
export type Thread = z.infer<typeof threadSchema>;

/** How far the caller has read in a thread, and how closely they follow it. */
export const readerSchema = z.object({
  threadId: z.guid(),
  /** Unread is what has a higher number. */
  readNumber: z.int().min(0),
  level: z.enum(THREAD_LEVELS),
});

/** How far the caller has read in a thread, and how closely they follow it. */
export type ThreadReader = z.infer<typeof readerSchema>;

/** Names a thread. */
export const threadInput = z.object({ threadId: z.guid() });

/** How far the caller has read in a thread, live on `user:<uid>`; null: never opened. */
export const liveReaderOutput = liveOutput(z.object({ reader: readerSchema.nullable() }));

/** Asks for a course's threads: pinned ones first, then those with the newest message. */
export const threadsInput = pageInput.extend({
  courseId: z.guid(),
  lessonId: z.guid().optional(),
  isAnswered: z.boolean().optional(),
});

/** A course's threads, live on `course:<id>`. Pinned ones are all on the first page. */
export const threadsOutput = liveOutput(
  z.object({ items: z.array(threadSchema), nextCursor: z.string().nullable() }),
);

/** A part of a course's threads. */
export type ThreadList = z.infer<typeof threadsOutput>['data'];

/** Names a course. */
export const courseInput = z.object({ courseId: z.guid() });

/** How far the caller has read in each thread of a course, live on `user:<uid>`. */
export const readersOutput = liveOutput(z.object({ items: z.array(readerSchema) }));

/** The thread as it is after the call. */
export const threadOutput = z.object({ thread: threadSchema });

/** How far the caller has read; for unread, the first message that shall be unread. */
export const markInput = z.object({ threadId: z.guid(), number: numberSchema });

/** How closely the caller wants to follow a thread. */
export const followInput = z.object({ threadId: z.guid(), level: z.enum(THREAD_LEVELS) });

/** How far the caller has read in the thread after the call. */
export const readerOutput = z.object({ reader: readerSchema });
