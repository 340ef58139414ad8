import type { TRPCRouterRecord } from '@trpc/server';
import * as z from 'zod';
import { instructorProcedure } from '../server/procedures.ts';
import { analyticsInput, analyticsSchema } from './analytics-contract.ts';
import { analyticsFile, CHARTS } from './analytics-file.ts';
import { analytics } from './analytics-queries.ts';
import {
  feedInput,
  feedOutput,
  overviewInput,
  overviewOutput,
  paymentsInput,
  paymentsOutput,
  statsInput,
  statsOutput,
} from './contract.ts';
import { courseStats, feed, overview, payments } from './queries.ts';

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

  /** The payments for a course, newest first. */
  payments: instructorProcedure
    .input(paymentsInput)
    .output(paymentsOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => payments(tx, input))),

  /** What happened in a course in a period, for charts. */
  analytics: instructorProcedure
    .input(analyticsInput)
    .output(analyticsSchema)
    .query(({ ctx, input }) => ctx.transaction((tx) => analytics(tx, input))),

  /** One of the charts as a CSV file. */
  analyticsFile: instructorProcedure
    .input(analyticsInput.safeExtend({ chart: z.enum(CHARTS) }))
    .output(z.object({ fileName: z.string(), csv: z.string() }))
    .query(async ({ ctx, input: { chart, ...asked } }) => {
      const data = await ctx.transaction((tx) => analytics(tx, asked));
      return {
        fileName: `${chart}-${asked.from}-${asked.to}.csv`,
        csv: analyticsFile(chart, data),
      };
    }),
} satisfies TRPCRouterRecord;
