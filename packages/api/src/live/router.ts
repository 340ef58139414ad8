import type { TRPCRouterRecord } from '@trpc/server';
import { ApiError } from '../server/errors.ts';
import { publicProcedure } from '../server/procedures.ts';
import type { UserTransaction } from '../server/database.ts';
import { epochOutput, sinceInput, sinceOutput, topicInput } from './contract.ts';
import { epochOf, eventsSince } from './queries.ts';

/** The topics that are for everybody; whether one is, the database decides. */
const PUBLIC_TOPIC = /^certificate:/;

/** For who may read the topic: without an account, only what is everybody's. */
const readerProcedure = publicProcedure.input(topicInput).use(({ ctx, input, next }) => {
  if (!ctx.session && !PUBLIC_TOPIC.test(input.topic)) throw new ApiError('SESSION_REQUIRED');
  const transaction = <Result>(work: (tx: UserTransaction) => Promise<Result>): Promise<Result> =>
    ctx.asUser(ctx.session, 'read', work);
  return next({ ctx: { transaction } });
});

/** Where a topic's events are, for those who want to hear them, and for those who missed some. */
export const liveRouter = {
  /** On which channel a topic is, for whoever may read the topic. */
  epoch: readerProcedure
    .output(epochOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => epochOf(tx, input))),

  /** The events of a topic after a number, for whoever may read the topic. */
  since: readerProcedure
    .input(sinceInput)
    .output(sinceOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => eventsSince(tx, input))),
} satisfies TRPCRouterRecord;
