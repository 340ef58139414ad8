import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure } from '../server/procedures.ts';
import {
  feedInput,
  feedOutput,
  overviewInput,
  overviewOutput,
  statsInput,
  statsOutput,
} from './contract.ts';
import { courseStats, feed, overview } from './queries.ts';

/** What happens in the courses that the caller teaches. */
export const activityRouter = {
  /** Newest first: in one course (live on `course:<id>:staff`), or in all (live on `user:<uid>`). */
  feed: instructorProcedure
    .input(feedInput)
    .output(feedOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => feed(tx, ctx.session.userId, input))),

  /** The figures of a course, exact at this moment. */
  stats: instructorProcedure
    .input(statsInput)
    .output(statsOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => courseStats(tx, input.courseId))),

  /** Figures, trends and what needs attention, of one course or of all. */
  overview: instructorProcedure
    .input(overviewInput)
    .output(overviewOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => overview(tx, ctx.session.userId, input.courseId)),
    ),
} satisfies TRPCRouterRecord;
