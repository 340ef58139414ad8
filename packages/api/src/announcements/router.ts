import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure, userProcedure } from '../server/procedures.ts';
import {
  announcementInput,
  announcementSchema,
  listInput,
  listOutput,
  removeOutput,
  saveInput,
  sendOutput,
} from './contract.ts';
import {
  findAnnouncement,
  listAnnouncements,
  removeAnnouncement,
  saveAnnouncement,
  sendAnnouncement,
} from './queries.ts';

/** News for the students of courses. */
export const announcementsRouter = {
  /** What the caller has announced or is about to, newest first. */
  list: instructorProcedure
    .input(listInput)
    .output(listOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => listAnnouncements(tx, ctx.session.userId, input)),
    ),

  /** One of the caller's own, or one that was sent to a course of theirs. */
  view: userProcedure
    .input(announcementInput)
    .output(announcementSchema)
    .query(({ ctx, input }) => ctx.transaction((tx) => findAnnouncement(tx, input.id))),

  /** Writes a draft, or schedules it. */
  save: instructorProcedure
    .input(saveInput)
    .output(announcementSchema)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => saveAnnouncement(tx, input))),

  /** Sends it now; a second time changes nothing. */
  send: instructorProcedure
    .input(announcementInput)
    .output(sendOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => sendAnnouncement(tx, input.id))),

  /** Removes one that isn't sent yet. */
  remove: instructorProcedure
    .input(announcementInput)
    .output(removeOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => removeAnnouncement(tx, input.id))),
} satisfies TRPCRouterRecord;
