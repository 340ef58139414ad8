import type { TRPCRouterRecord } from '@trpc/server';
import * as z from 'zod';
import { adminProcedure, publicProcedure } from '../server/procedures.ts';
import { overviewOutput, reportInput } from './contract.ts';
import { readOverview, watchOverview } from './queries.ts';

/** How the running system does. */
export const monitoringRouter = {
  /** Takes what a tab reports of itself: sums only, nobody's name. */
  report: publicProcedure
    .input(reportInput)
    .output(z.null())
    .mutation(({ ctx, input }) => {
      ctx.monitor.reported(input);
      return null;
    }),

  /** The last hour, for administrators. */
  overview: adminProcedure
    .output(overviewOutput)
    .query(({ ctx }) => ctx.transaction((tx) => readOverview(tx, ctx.session.userId))),

  /** The same; and the caller is told of changes for the next minute. */
  watch: adminProcedure
    .output(overviewOutput)
    .mutation(({ ctx }) => ctx.transaction((tx) => watchOverview(tx, ctx.session.userId))),
} satisfies TRPCRouterRecord;
