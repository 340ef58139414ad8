import type { TRPCRouterRecord } from '@trpc/server';
import { userProcedure } from '../server/procedures.ts';
import { meOutput, updateMeInput } from './contract.ts';
import { findMe, updateMe } from './queries.ts';

/** Who the caller is. */
export const identityRouter = {
  /** The caller's own profile. */
  me: userProcedure
    .output(meOutput)
    .query(({ ctx }) => ctx.transaction((tx) => findMe(tx, ctx.session.userId))),

  /** Changes the caller's own profile: never the role, the address or the state. */
  updateMe: userProcedure
    .input(updateMeInput)
    .output(meOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => updateMe(tx, ctx.session.userId, input))),
} satisfies TRPCRouterRecord;
