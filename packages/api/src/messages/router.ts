import type { TRPCRouterRecord } from '@trpc/server';
import { courseInput } from '../discussions/contract.ts';
import { adminProcedure, instructorProcedure, userProcedure } from '../server/procedures.ts';
import {
  blockInput,
  blockOutput,
  conversationInput,
  conversationOutput,
  conversationsInput,
  conversationsOutput,
  courseSwitchInput,
  courseSwitchOutput,
  markInput,
  markOutput,
  messageOutput,
  peopleInput,
  peopleOutput,
  reportInput,
  reportOutput,
  reportsInput,
  reportsOutput,
  resolveInput,
  resolveOutput,
  sendInput,
  settingsSchema,
} from './contract.ts';
import { listReports, resolveReports } from './moderation-queries.ts';
import {
  blockPerson,
  findPeople,
  listConversations,
  markConversation,
  readConversation,
  readCourseSwitch,
  readSettings,
  reportMessage,
  sendMessage,
  setCourseSwitch,
  writeSettings,
} from './queries.ts';

/** Direct messages between people who share a course. */
export const messagesRouter = {
  /** The caller's conversations, live on `user:<uid>`. */
  conversations: userProcedure
    .input(conversationsInput)
    .output(conversationsOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => listConversations(tx, ctx.session.userId, input)),
    ),

  /** What the caller and someone have written each other, live on `user:<uid>`. */
  conversation: userProcedure
    .input(conversationInput)
    .output(conversationOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => readConversation(tx, ctx.session.userId, input)),
    ),

  /** Writes to someone; a repeat with the same id changes nothing. */
  send: userProcedure
    .input(sendInput)
    .output(messageOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => sendMessage(tx, ctx.session.userId, input)),
    ),

  /** The caller has read up to a message; never goes back. */
  markAsRead: userProcedure
    .input(markInput)
    .output(markOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => markConversation(tx, input.userId, { read: input.number })),
    ),

  /** A message and all after it shall be unread again. */
  markAsUnread: userProcedure
    .input(markInput)
    .output(markOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) =>
        markConversation(tx, input.userId, { read: input.number - 1, mayGoBack: true }),
      ),
    ),

  /** Messages have reached a device of the caller's. */
  markAsDelivered: userProcedure
    .input(markInput)
    .output(markOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => markConversation(tx, input.userId, { delivered: input.number })),
    ),

  /** Wants nothing from someone any more, or again; the other isn't told. */
  block: userProcedure
    .input(blockInput)
    .output(blockOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => blockPerson(tx, ctx.session.userId, input.userId, input.isBlocked)),
    ),

  /** Reports a message that the caller has received, to the administrators. */
  report: userProcedure
    .input(reportInput)
    .output(reportOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => reportMessage(tx, input))),

  /** Reports of direct messages, newest first, live on `user:<uid>`. */
  reports: adminProcedure
    .input(reportsInput)
    .output(reportsOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listReports(tx, ctx.session.userId, input))),

  /** Decides about all open reports of a message. */
  resolveReports: adminProcedure
    .input(resolveInput)
    .output(resolveOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => resolveReports(tx, input))),

  /** Whom the caller may write, by the beginning of the name. */
  people: userProcedure
    .input(peopleInput)
    .output(peopleOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => findPeople(tx, input.words))),

  settings: {
    /** What others see of the caller's reading and typing. */
    get: userProcedure
      .output(settingsSchema)
      .query(({ ctx }) => ctx.transaction((tx) => readSettings(tx))),

    /** Sets it; without receipts, one sees none either. */
    set: userProcedure
      .input(settingsSchema)
      .output(settingsSchema)
      .mutation(({ ctx, input }) =>
        ctx.transaction((tx) => writeSettings(tx, ctx.session.userId, input)),
      ),
  },

  courseSwitch: {
    /** Whether a course's students may write each other. */
    get: userProcedure
      .input(courseInput)
      .output(courseSwitchOutput)
      .query(({ ctx, input }) => ctx.transaction((tx) => readCourseSwitch(tx, input.courseId))),

    /** Sets it, for a course that the caller teaches. */
    set: instructorProcedure
      .input(courseSwitchInput)
      .output(courseSwitchOutput)
      .mutation(({ ctx, input }) =>
        ctx.transaction((tx) => setCourseSwitch(tx, input.courseId, input.studentsMayWrite)),
      ),
  },
} satisfies TRPCRouterRecord;
