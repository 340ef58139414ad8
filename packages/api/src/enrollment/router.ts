import type { TRPCRouterRecord } from '@trpc/server';
import { userProcedure } from '../server/procedures.ts';
import { enrollInput, enrollOutput, mineInput, mineOutput } from './contract.ts';
import { enroll, listEnrollments } from './queries.ts';

/** Who learns what. */
export const enrollmentRouter = {
  /** Enrolls the caller. A repeat gives the same enrollment, and changes nothing. */
  enroll: userProcedure
    .input(enrollInput)
    .output(enrollOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => enroll(tx, ctx.session.userId, input.courseId)),
    ),

  /** The caller's enrollments, newest first. */
  mine: userProcedure
    .input(mineInput)
    .output(mineOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => listEnrollments(tx, ctx.session.userId, input)),
    ),
} satisfies TRPCRouterRecord;
