import type { TRPCRouterRecord } from '@trpc/server';
import { userProcedure } from '../server/procedures.ts';
import { listOutput } from './contract.ts';
import { listAchievements } from './queries.ts';

/** What can be earned by learning. */
export const achievementsRouter = {
  /** Everything that can be earned, with what the caller has. */
  list: userProcedure
    .output(listOutput)
    .query(({ ctx }) => ctx.transaction((tx) => listAchievements(tx, ctx.session.userId))),
} satisfies TRPCRouterRecord;
