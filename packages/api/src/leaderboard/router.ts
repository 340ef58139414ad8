import type { TRPCRouterRecord } from '@trpc/server';
import { userProcedure } from '../server/procedures.ts';
import {
  followOutput,
  leadersInput,
  leadersOutput,
  pointsInput,
  pointsOutput,
  scopeInput,
  setHiddenInput,
  setHiddenOutput,
  topOutput,
} from './contract.ts';
import {
  followLeaderboard,
  leaderboardStanding,
  leaderboardTop,
  listLeaders,
  listPoints,
  setHidden,
} from './queries.ts';

/** Who has how many points. */
export const leaderboardRouter = {
  /** The first hundred, as old as the last event of the topic: a second at most. */
  top: userProcedure
    .input(scopeInput)
    .output(topOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => leaderboardTop(tx, input.scope))),

  /** Where the caller stands, and who is around them: exact at this moment. */
  standing: userProcedure
    .input(scopeInput)
    .output(followOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => leaderboardStanding(tx, ctx.session.userId, input.scope)),
    ),

  /** The same; and each change of it is told to the caller for the next ten minutes. */
  follow: userProcedure
    .input(scopeInput)
    .output(followOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => followLeaderboard(tx, ctx.session.userId, input.scope)),
    ),

  /** Takes the caller off all leaderboards, or puts them back. */
  setHidden: userProcedure
    .input(setHiddenInput)
    .output(setHiddenOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => setHidden(tx, input.isHidden))),

  /** Why the caller has the points that they have, newest first. */
  points: userProcedure
    .input(pointsInput)
    .output(pointsOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listPoints(tx, ctx.session.userId, input))),

  /** Rows of the guide's view, for its REST route. */
  leaders: userProcedure
    .input(leadersInput)
    .output(leadersOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listLeaders(tx, input.limit))),
} satisfies TRPCRouterRecord;
