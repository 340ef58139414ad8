import * as z from 'zod';
import { contentSchema } from '../discussions/messages-contract.ts';
import { REPORT_REASONS } from '../discussions/kinds-contract.ts';
import { personSchema } from '../identity/person-contract.ts';
import { liveOutput } from '../live/contract.ts';
import { limitSchema, pageInput } from '../pagination/contract.ts';

export * from './moderation-contract.ts';

const numberSchema = z.int().min(1);

/** A direct message. `number` counts within the conversation: 1, 2, 3 … without holes. */
export const directMessageSchema = z.object({
  id: z.guid(),
  number: numberSchema,
  senderId: z.guid().nullable(),
  recipientId: z.guid().nullable(),
  /** Markdown as it was written: to be rendered and sanitised. */
  content: z.string(),
  /** An administrator has taken away what it said. */
  isRemoved: z.boolean(),
  createdAt: z.iso.datetime(),
});

/** A direct message. */
export type DirectMessage = z.infer<typeof directMessageSchema>;

/** A conversation as one of the two sees it. */
export const conversationSchema = z.object({
  id: z.guid(),
  /** Null when the person has left Homeroom. */
  with: personSchema.nullable(),
  lastNumber: z.int().min(0),
  lastMessageAt: z.iso.datetime(),
  lastMessage: z
    .object({ number: numberSchema, senderId: z.guid().nullable(), excerpt: z.string() })
    .nullable(),
  readNumber: z.int().min(0),
  /** What has reached one of the caller's devices. */
  deliveredNumber: z.int().min(0),
  unreadCount: z.int().min(0),
  /** Null where one of the two wants no receipts. */
  theirReadNumber: z.int().min(0).nullable(),
  theirDeliveredNumber: z.int().min(0).nullable(),
});

/** A conversation as one of the two sees it. */
export type Conversation = z.infer<typeof conversationSchema>;

/** Asks for the caller's conversations, those with the newest message first. */
export const conversationsInput = pageInput;

/** The caller's conversations, live on `user:<uid>`. `unreadCount` is of all of them. */
export const conversationsOutput = liveOutput(
  z.object({
    items: z.array(conversationSchema),
    unreadCount: z.int().min(0),
    nextCursor: z.string().nullable(),
  }),
);

/** The caller's conversations. */
export type ConversationList = z.infer<typeof conversationsOutput>['data'];

/** Asks for the newest messages with someone, or for those before a number. */
export const conversationInput = z.object({
  userId: z.guid(),
  before: numberSchema.optional(),
  limit: limitSchema.default(50),
});

/** What two people have written each other, oldest first; live on `user:<uid>`. */
export const conversationOutput = liveOutput(
  z.object({
    with: personSchema,
    /** Null before the first message. */
    conversation: conversationSchema.nullable(),
    canWrite: z.boolean(),
    /** The caller has blocked the other. */
    isBlocked: z.boolean(),
    items: z.array(directMessageSchema),
  }),
);

/** What two people have written each other. */
export type ConversationPart = z.infer<typeof conversationOutput>['data'];

/** Writes to someone. Sent again with the same id, it is written once. */
export const sendInput = z.object({ id: z.guid(), userId: z.guid(), content: contentSchema });

/** The message as it was written. */
export const messageOutput = z.object({ message: directMessageSchema });

/** How far the caller is in the conversation with someone. */
export const markInput = z.object({ userId: z.guid(), number: numberSchema });

/** The conversation as it is after the call. */
export const markOutput = z.object({ conversation: conversationSchema });

/** Wants nothing from someone any more, or again. */
export const blockInput = z.object({ userId: z.guid(), isBlocked: z.boolean() });

/** What became of it. */
export const blockOutput = z.object({ isBlocked: z.boolean() });

/** Reports a message that the caller has received, to the administrators. */
export const reportInput = z.object({
  messageId: z.guid(),
  reason: z.enum(REPORT_REASONS),
  note: z.string().max(1000).default(''),
});

/** The report; the first one of this message. */
export const reportOutput = z.object({ reportId: z.guid() });

/** Asks whom the caller may write, by the beginning of the name. */
export const peopleInput = z.object({ words: z.string().trim().max(100).default('') });

/** Those whom the caller may write. */
export const peopleOutput = z.object({ items: z.array(personSchema) });

/** What others see of the caller's reading and typing; both sides are treated alike. */
export const settingsSchema = z.object({ sendsReceipts: z.boolean(), showsTyping: z.boolean() });

/** Whether a course's students may write each other. */
export const courseSwitchInput = z.object({ courseId: z.guid(), studentsMayWrite: z.boolean() });

/** Whether a course's students may write each other. */
export const courseSwitchOutput = z.object({ studentsMayWrite: z.boolean() });

/** What `user:<uid>` tells about direct messages, by the event's name. */
export const messageEventSchemas = {
  'direct_message.created': z.object({
    message: directMessageSchema,
    conversation: conversationSchema,
    unreadDelta: z.int(),
  }),
  'direct_message.removed': z.object({
    message: directMessageSchema,
    conversation: conversationSchema,
    unreadDelta: z.int(),
  }),
  'conversation.changed': z.object({ conversation: conversationSchema, unreadDelta: z.int() }),
} as const;

/** What `user:<uid>` tells about direct messages, by the event's name. */
export type MessageEvents = {
  [Name in keyof typeof messageEventSchemas]: z.infer<(typeof messageEventSchemas)[Name]>;
};
