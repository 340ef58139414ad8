import type { TRPCRouterRecord } from '@trpc/server';
import { userProcedure } from '../server/procedures.ts';
import { epochInput, epochOutput, sinceInput, sinceOutput } from './contract.ts';
import { epochOf, eventsSince } from './queries.ts';

/** Where a topic's events are, for those who want to hear them, and for those who missed some. */
export const liveRouter = {
  /** On which channel a topic is, for whoever may read the topic. */
  epoch: userProcedure
    .input(epochInput)
    .output(epochOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => epochOf(tx, input))),

  /** The events of a topic after a number, for whoever may read the topic. */
  since: userProcedure
    .input(sinceInput)
    .output(sinceOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => eventsSince(tx, input))),
} satisfies TRPCRouterRecord;
