import type { TRPCRouterRecord } from '@trpc/server';
import { ApiError } from '../server/errors.ts';
import { instructorProcedure, userProcedure } from '../server/procedures.ts';
import {
  attendanceOutput,
  checkInByCodeInput,
  checkInInput,
  codeOutput,
  exportOutput,
  registrationOutput,
  undoInput,
  workshopInput,
} from './contract.ts';
import {
  checkIn,
  checkInByCode,
  currentCode,
  exportAttendance,
  listAttendance,
  undoCheckIn,
} from './queries.ts';

/** Who is there: checked in by hand or by the code on the screen, and logged. */
export const attendanceRouter = {
  /** A workshop's participants, live on `workshop:<id>:staff`. */
  list: instructorProcedure
    .input(workshopInput)
    .output(attendanceOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listAttendance(tx, input.workshopId))),

  /** The code to show now; another every 30 seconds. */
  code: instructorProcedure
    .input(workshopInput)
    .output(codeOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => currentCode(tx, input.workshopId))),

  /** Checks someone in by hand; who had no place walked in. A repeat changes nothing. */
  checkIn: instructorProcedure
    .input(checkInInput)
    .output(registrationOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => checkIn(tx, input.workshopId, input.userId)),
    ),

  /** Takes a check-in back, for a reason that the log keeps. */
  undo: instructorProcedure
    .input(undoInput)
    .output(registrationOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => undoCheckIn(tx, input.workshopId, input.userId, input.reason)),
    ),

  /** Checks the caller in with a code seen now or while offline. A repeat changes nothing. */
  checkInByCode: userProcedure
    .input(checkInByCodeInput)
    .output(registrationOutput)
    .mutation(async ({ ctx, input }) => {
      const { workshopId, code, seenAt } = input;
      const answer = await ctx.transaction((tx) => checkInByCode(tx, workshopId, code, seenAt));
      if (answer.refusal === undefined) return answer;
      throw new ApiError(answer.refusal, { retryAfterSeconds: answer.retryAfterSeconds });
    }),

  /** The log as a CSV file; `pnpm attendance verify` verifies it. */
  export: instructorProcedure
    .input(workshopInput)
    .output(exportOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => exportAttendance(tx, input.workshopId))),
} satisfies TRPCRouterRecord;
