import type { TRPCRouterRecord } from '@trpc/server';
import { userProcedure } from '../server/procedures.ts';
import { sinceInput, sinceOutput } from './contract.ts';
import { eventsSince } from './queries.ts';

/** Numbered events, for those who missed some. */
export const liveRouter = {
  /** The events of a topic after a number, for whoever may read the topic. */
  since: userProcedure
    .input(sinceInput)
    .output(sinceOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => eventsSince(tx, input))),
} satisfies TRPCRouterRecord;
