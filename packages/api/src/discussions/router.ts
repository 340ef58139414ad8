import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure, userProcedure } from '../server/procedures.ts';
import {
  courseInput,
  editInput,
  endorseInput,
  followInput,
  historyOutput,
  liveReaderOutput,
  markInput,
  mentionableInput,
  mentionableOutput,
  messageInput,
  messageOutput,
  messagesInput,
  messagesOutput,
  moderateInput,
  openInput,
  reactInput,
  reactOutput,
  readerOutput,
  readersOutput,
  reportInput,
  reportOutput,
  reportsInput,
  reportsOutput,
  resolveInput,
  resolveOutput,
  searchInput,
  searchOutput,
  sendInput,
  threadInput,
  threadOutput,
  threadsInput,
  threadsOutput,
} from './contract.ts';
import {
  endorseMessage,
  listReports,
  moderateThread,
  reportMessage,
  resolveReports,
} from './moderation-queries.ts';
import {
  editMessage,
  react,
  readHistory,
  readThread,
  removeMessage,
  sendMessage,
} from './messages-queries.ts';
import { listMentionable, searchMessages } from './search-queries.ts';
import {
  followThread,
  listReaders,
  listThreads,
  markThread,
  openThread,
  readReader,
} from './threads-queries.ts';

/** Discussions in courses. Members read and write; staff moderates. */
export const discussionsRouter = {
  /** A course's threads, live on `course:<id>`. */
  threads: userProcedure
    .input(threadsInput)
    .output(threadsOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listThreads(tx, input))),

  /** How far the caller has read in each thread of a course, live on `user:<uid>`. */
  readers: userProcedure
    .input(courseInput)
    .output(readersOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => listReaders(tx, ctx.session.userId, input.courseId)),
    ),

  /** How far the caller has read in a thread, live on `user:<uid>`. */
  reader: userProcedure
    .input(threadInput)
    .output(liveReaderOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => readReader(tx, ctx.session.userId, input.threadId)),
    ),

  /** A part of a thread, oldest first, live on `thread:<id>`. */
  messages: userProcedure
    .input(messagesInput)
    .output(messagesOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => readThread(tx, ctx.session.userId, input))),

  /** Opens a thread with its first message; a repeat with the same ids changes nothing. */
  open: userProcedure
    .input(openInput)
    .output(threadOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => openThread(tx, ctx.session.userId, input)),
    ),

  /** Writes in a thread; a repeat with the same id changes nothing. */
  send: userProcedure
    .input(sendInput)
    .output(messageOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => sendMessage(tx, ctx.session.userId, input)),
    ),

  /** Changes what one of the caller's messages says; what it said is kept. */
  edit: userProcedure
    .input(editInput)
    .output(messageOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => editMessage(tx, ctx.session.userId, input.messageId, input.content)),
    ),

  /** Empties a message, for its sender and staff; it keeps its place. */
  remove: userProcedure
    .input(messageInput)
    .output(messageOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => removeMessage(tx, input.messageId))),

  /** What a message said before. */
  history: userProcedure
    .input(messageInput)
    .output(historyOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => readHistory(tx, input.messageId))),

  /** Puts a sign under a message, or takes it away. */
  react: userProcedure
    .input(reactInput)
    .output(reactOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) =>
        react(tx, ctx.session.userId, input.messageId, input.emoji, input.isOn),
      ),
    ),

  /** The caller has read up to a message; never goes back. */
  markAsRead: userProcedure
    .input(markInput)
    .output(readerOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => markThread(tx, 'read', input.threadId, input.number)),
    ),

  /** A message and all after it shall be unread again. */
  markAsUnread: userProcedure
    .input(markInput)
    .output(readerOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => markThread(tx, 'unread', input.threadId, input.number)),
    ),

  /** Watch, track, follow normally, or mute. */
  follow: userProcedure
    .input(followInput)
    .output(readerOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => followThread(tx, input.threadId, input.level)),
    ),

  /** The messages of a course that hold some words, best first. */
  search: userProcedure
    .input(searchInput)
    .output(searchOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => searchMessages(tx, input))),

  /** Those in a course whom a message may name, by the beginning of their name. */
  mentionable: userProcedure
    .input(mentionableInput)
    .output(mentionableOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listMentionable(tx, input))),

  /** Reports a message to the staff of its course. */
  report: userProcedure
    .input(reportInput)
    .output(reportOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => reportMessage(tx, input))),

  /** Pins, locks, closes, slows down, renames or answers a thread. */
  moderate: instructorProcedure
    .input(moderateInput)
    .output(threadOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => moderateThread(tx, input))),

  /** Says that a message is right, or takes that back. */
  endorse: instructorProcedure
    .input(endorseInput)
    .output(messageOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => endorseMessage(tx, input.messageId, input.isEndorsed)),
    ),

  /** A course's reports, newest first, live on `course:<id>:staff`. */
  reports: instructorProcedure
    .input(reportsInput)
    .output(reportsOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listReports(tx, input))),

  /** Decides about all open reports of a message. */
  resolveReports: instructorProcedure
    .input(resolveInput)
    .output(resolveOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => resolveReports(tx, input))),
} satisfies TRPCRouterRecord;
