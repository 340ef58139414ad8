import * as z from 'zod';
import { personSchema } from '../identity/person-contract.ts';
import { liveOutput } from '../live/contract.ts';
import { limitSchema, pageInput } from '../pagination/contract.ts';
import {
  MESSAGE_LENGTH_MAX,
  REACTIONS,
  REPORT_REASONS,
  REPORT_STATUSES,
  THREAD_LEVELS,
} from './kinds-contract.ts';

/** A message's place in its thread: 1, 2, 3 … without holes, in the order of commits. */
const numberSchema = z.int().min(1);

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

/** The thread as it is after the call. */
export const threadOutput = z.object({ thread: threadSchema });

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

/** How far the caller has read; for unread, the first message that shall be unread. */
export const markInput = z.object({ threadId: z.guid(), number: numberSchema });

/** How closely the caller wants to follow a thread. */
export const followInput = z.object({ threadId: z.guid(), level: z.enum(THREAD_LEVELS) });

/** How far the caller has read in the thread after the call. */
export const readerOutput = z.object({ reader: readerSchema });

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

/** Looks for words in a course's messages, as in a web search: `"a phrase"`, `or`, `-without`. */
export const searchInput = z.object({
  courseId: z.guid(),
  words: z.string().trim().min(1, 'Nothing to look for').max(200),
  limit: limitSchema,
  offset: z.int().min(0).max(1000).default(0),
});

/** What was found, best first; the words that were looked for are the parts with `isMatch`. */
export const searchOutput = z.object({
  items: z.array(
    z.object({
      messageId: z.guid(),
      number: numberSchema,
      threadId: z.guid(),
      threadTitle: z.string(),
      sender: personSchema.nullable(),
      createdAt: z.iso.datetime(),
      excerpt: z.array(z.object({ text: z.string(), isMatch: z.boolean() })),
    }),
  ),
});

/** Asks for those in a course whose name begins so, to name them in a message. */
export const mentionableInput = z.object({
  courseId: z.guid(),
  words: z.string().trim().max(100).default(''),
});

/** Those in the course whom a message may name. */
export const mentionableOutput = z.object({ items: z.array(personSchema) });

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

/** What `course:<id>:staff` tells about reports, by the event's name. */
export const threadReportEventSchemas = {
  'report.updated': z.object({ report: threadReportSchema }),
} as const;
