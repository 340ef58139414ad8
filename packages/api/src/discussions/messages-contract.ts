import * as z from 'zod';
import { personSchema } from '../identity/person-contract.ts';
import { liveOutput } from '../live/contract.ts';
import { limitSchema } from '../pagination/contract.ts';
import { MESSAGE_LENGTH_MAX, REACTIONS } from './kinds-contract.ts';
import { numberSchema, readerSchema, threadSchema } from './threads-contract.ts';

/** A message as events tell it: what belongs to it alone, and is the same for everybody. */
export const toldMessageSchema = z.object({
  id: z.guid(),
  threadId: z.guid(),
  number: numberSchema,
  /** Null when the person has left Homeroom. */
  sender: personSchema.nullable(),
  isByStaff: z.boolean(),
  /** Markdown as it was written: to be rendered and sanitised. Empty when deleted. */
  content: z.string(),
  /** Its first words, without markup. */
  excerpt: z.string(),
  /** What it replies to; never a reply itself. */
  parent: z
    .object({
      id: z.guid(),
      number: numberSchema,
      sender: personSchema.nullable(),
      excerpt: z.string(),
    })
    .nullable(),
  /** Whom `[@…](mention:<id>)` in the content means; the names are to be shown from here. */
  mentions: z.array(personSchema.nullable()),
  endorsedBy: personSchema.nullable(),
  createdAt: z.iso.datetime(),
  editedAt: z.iso.datetime().nullable(),
  deletedAt: z.iso.datetime().nullable(),
  deletedBy: z.enum(['sender', 'staff']).nullable(),
});

/** A message as events tell it: what belongs to it alone, and is the same for everybody. */
export type ToldMessage = z.infer<typeof toldMessageSchema>;

/** A sign under a message, and how many put it there. */
export const reactionSchema = z.object({
  emoji: z.enum(REACTIONS),
  count: z.int().min(1),
  isMine: z.boolean(),
});

/** A message as someone sees it. */
export const threadMessageSchema = toldMessageSchema.extend({
  replyCount: z.int().min(0),
  reactions: z.array(reactionSchema),
});

/** A message as someone sees it. */
export type ThreadMessage = z.infer<typeof threadMessageSchema>;

/**
 * Asks for a part of a thread: the newest messages, or those before, after or around a place. At
 * most one of the four places is given.
 */
export const messagesInput = z
  .object({
    threadId: z.guid(),
    before: numberSchema.optional(),
    after: z.int().min(0).optional(),
    around: numberSchema.optional(),
    aroundMessage: z.guid().optional(),
    limit: limitSchema.default(50),
  })
  .refine(
    ({ before, after, around, aroundMessage }) =>
      [before, after, around, aroundMessage].filter((place) => place !== undefined).length <= 1,
    { path: ['before'], error: 'Only one of before, after, around and aroundMessage' },
  );

/** Asks for a part of a thread. */
export type MessagesInput = z.input<typeof messagesInput>;

/**
 * A part of a thread, oldest first, live on `thread:<id>`. There are older ones when the first
 * number is above 1, newer ones when the last one is below the thread's `lastNumber`.
 */
export const messagesOutput = liveOutput(
  z.object({
    thread: threadSchema,
    /** Null when the caller has never opened the thread. */
    reader: readerSchema.nullable(),
    items: z.array(threadMessageSchema),
  }),
);

/** A part of a thread. */
export type ThreadPart = z.infer<typeof messagesOutput>['data'];

/** What a message says. */
export const contentSchema = z
  .string()
  .max(MESSAGE_LENGTH_MAX, `Longer than ${MESSAGE_LENGTH_MAX} characters`)
  .regex(/\S/, 'Says nothing');

/** Writes in a thread. Sent again with the same id, it is written once. */
export const sendInput = z.object({
  id: z.guid(),
  threadId: z.guid(),
  content: contentSchema,
  parentId: z.guid().optional(),
});

/** The message as it is after the call. */
export const messageOutput = z.object({ message: threadMessageSchema });

/** Opens a thread with its first message. Sent again with the same ids, it is opened once. */
export const openInput = z.object({
  id: z.guid(),
  messageId: z.guid(),
  courseId: z.guid(),
  lessonId: z.guid().optional(),
  title: z.string().trim().min(1, 'Give it a title').max(255),
  content: contentSchema,
});

/** Names a message. */
export const messageInput = z.object({ messageId: z.guid() });

/** Changes what a message says. */
export const editInput = messageInput.extend({ content: contentSchema });

/** What a message said before, oldest first; of a deleted one for staff only. */
export const historyOutput = z.object({
  items: z.array(
    z.object({
      content: z.string(),
      writtenAt: z.iso.datetime(),
      replacedAt: z.iso.datetime(),
    }),
  ),
});

/** Puts a sign under a message, or takes it away. */
export const reactInput = messageInput.extend({ emoji: z.enum(REACTIONS), isOn: z.boolean() });

/** What became of it. */
export const reactOutput = z.object({ isOn: z.boolean() });
