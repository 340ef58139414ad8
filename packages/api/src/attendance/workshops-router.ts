import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure, userProcedure } from '../server/procedures.ts';
import {
  changeInput,
  changesOutput,
  listInput,
  listOutput,
  mineOutput,
  planInput,
  registrationOutput,
  viewOutput,
  workshopInput,
  workshopOutput,
} from './contract.ts';
import {
  changeWorkshop,
  listWorkshops,
  planWorkshop,
  readChanges,
  readOwnPlace,
  register,
  unregister,
  viewWorkshop,
} from './queries.ts';

/** Workshops: planned by the staff of a course, for its members or for everybody. */
export const workshopsRouter = {
  /** Of a course (live on `course:<id>`), or all that the caller may see (live on `user:<uid>`). */
  list: userProcedure
    .input(listInput)
    .output(listOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => listWorkshops(tx, ctx.session.userId, input)),
    ),

  /** Up to which change of any workshop lists are told, live on `school:workshops`. */
  changes: userProcedure.output(changesOutput).query(({ ctx }) => ctx.transaction(readChanges)),

  /** One workshop, live on `workshop:<id>` for those who are registered and its staff. */
  view: userProcedure
    .input(workshopInput)
    .output(viewOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => viewWorkshop(tx, ctx.session.userId, input.workshopId)),
    ),

  /** How the caller stands to a workshop, live on `user:<uid>`. */
  mine: userProcedure
    .input(workshopInput)
    .output(mineOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => readOwnPlace(tx, ctx.session.userId, input.workshopId)),
    ),

  /** Registers the caller: with a place, or on the waiting list. A repeat changes nothing. */
  register: userProcedure
    .input(workshopInput)
    .output(registrationOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => register(tx, input.workshopId))),

  /** Gives the caller's place back; it goes to the first who waits. */
  unregister: userProcedure
    .input(workshopInput)
    .output(registrationOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => unregister(tx, input.workshopId))),

  /** Plans a workshop of a course that the caller teaches. */
  plan: instructorProcedure
    .input(planInput)
    .output(workshopOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => planWorkshop(tx, ctx.session.userId, input)),
    ),

  /** Changes a workshop; those registered are notified of a new time. */
  change: instructorProcedure
    .input(changeInput)
    .output(workshopOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => changeWorkshop(tx, input))),

  /** Calls a workshop off; those registered are notified. */
  cancel: instructorProcedure
    .input(workshopInput)
    .output(workshopOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => changeWorkshop(tx, input, 'cancelled'))),
} satisfies TRPCRouterRecord;
