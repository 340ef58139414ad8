import type { LeaderboardScope, LeaderboardStanding, LeaderboardTop } from '@homeroom/api/contract';
import type { Api } from '@homeroom/portal';
import { reloaded, type Connection, type Snapshot } from '@homeroom/realtime';

/** The first hundred of a leaderboard, live. */
export function liveTop(
  connection: Connection,
  api: Api,
  scope: LeaderboardScope,
  initial: Snapshot<LeaderboardTop>,
) {
  return reloaded({
    connection,
    topic: initial.cursor.topic,
    load: () => api.leaderboard.top.query({ scope }),
    concerns: ({ event }) => event === 'leaderboard.changed',
    initial,
  });
}

/** Where one stands oneself, live. */
export function liveStanding(
  connection: Connection,
  api: Api,
  scope: LeaderboardScope,
  initial: Snapshot<LeaderboardStanding>,
) {
  return reloaded({
    connection,
    topic: initial.cursor.topic,
    load: () => api.leaderboard.follow.mutate({ scope }),
    concerns: ({ event }) => event === 'leaderboard.rank',
    initial,
  });
}
