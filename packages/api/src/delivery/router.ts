import type { TRPCRouterRecord } from '@trpc/server';
import { publicProcedure, userProcedure } from '../server/procedures.ts';
import { deliveryOutput, setDeliveryInput, stopDigestInput, stopDigestOutput } from './contract.ts';
import { readDelivery, stopDigest, writeDelivery } from './queries.ts';

/** When notifications reach the caller: quiet hours, and the digest by e-mail. */
export const deliveryRouter = {
  /** Quiet hours and digest, with when the next one comes. */
  get: userProcedure.output(deliveryOutput).query(async ({ ctx }) => ({
    ...(await ctx.transaction((tx) => readDelivery(tx))),
    sendsMail: ctx.sendsMail,
  })),

  /** Changes what is named; gives all. */
  set: userProcedure
    .input(setDeliveryInput)
    .output(deliveryOutput)
    .mutation(async ({ ctx, input }) => ({
      ...(await ctx.transaction((tx) => writeDelivery(tx, ctx.session.userId, input))),
      sendsMail: ctx.sendsMail,
    })),

  /** Turns off the digest whose key this is, without a session: whoever has the mail may. */
  stopDigest: publicProcedure
    .input(stopDigestInput)
    .output(stopDigestOutput)
    .mutation(({ ctx, input }) => ctx.asUser(null, 'write', (tx) => stopDigest(tx, input.key))),
} satisfies TRPCRouterRecord;
