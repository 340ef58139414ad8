import type {
  LeaderboardEntry,
  LeaderboardScope,
  LeaderboardStanding,
  LeaderboardTop,
} from '@homeroom/api/contract';
import { derived, type Readable } from 'svelte/store';
import type { Connection } from '../connection/connection.ts';
import type { LiveError } from '../connection/errors.ts';
import { liveQuery, type LiveStatus, type Snapshot } from '../live-query/live-query.ts';
import { applyStanding, applyTop } from './apply.ts';

/** The server tells of one's rank for ten minutes after it was asked; we ask again at half of it. */
const FOLLOW_AGAIN_MS = 5 * 60_000;

/** A leaderboard, and one's own place on it. */
export type LeaderboardState = {
  /** Of the first hundred; where the standing lags behind, of the standing. */
  status: LiveStatus;
  /** The first hundred, by rank. */
  entries: readonly LeaderboardEntry[];
  /** How many there are on it. */
  students: number;
  /** One's own rank, points and neighbours; `undefined` until loaded. */
  standing: LeaderboardStanding | undefined;
  loading: boolean;
  error: LiveError | undefined;
  lastEventAt: number | undefined;
  latencyMs: number | undefined;
};

/** A leaderboard, live. */
export type LeaderboardStore = Readable<LeaderboardState> & {
  /** Leaves all leaderboards, or comes back; false when that failed. */
  setHidden(isHidden: boolean): Promise<boolean>;
};

/** How a leaderboard starts. */
export type LeaderboardOptions = {
  /** What `leaderboard.top` and `leaderboard.standing` gave to the server-rendered page. */
  initial?: { top: Snapshot<LeaderboardTop>; standing?: Snapshot<LeaderboardStanding> };
};

/** A leaderboard: the first hundred on its own topic, one's own place on the user's. */
export function leaderboard(
  connection: Connection,
  scope: LeaderboardScope = 'global',
  { initial }: LeaderboardOptions = {},
): LeaderboardStore {
  const api = connection.api.leaderboard;
  const top = liveQuery<LeaderboardTop>({
    connection,
    topic: `leaderboard:${scope}`,
    load: () => api.top.query({ scope }),
    apply: applyTop,
    initial: initial?.top,
  });
  const standing = liveQuery<LeaderboardStanding>({
    connection,
    topic: `user:${connection.userId}`,
    // Nothing is told of one's own rank before this call: a snapshot from the page can't go first.
    load: () => api.follow.mutate({ scope }),
    apply: (data, event) => applyStanding(data, event, scope),
  });
  const followed: Readable<unknown> = {
    subscribe(run) {
      run(undefined);
      let stop = again();
      function again(): () => void {
        return connection.internals.clock.after(FOLLOW_AGAIN_MS, () => {
          void standing.refresh();
          stop = again();
        });
      }
      return () => stop();
    },
  };
  const shown = derived([top, standing, followed], ([first, own]): LeaderboardState => {
    const { data, ...state } = first;
    return {
      ...state,
      status: state.status === 'live' ? own.status : state.status,
      entries: data?.entries ?? [],
      students: data?.students ?? 0,
      standing: own.data ?? initial?.standing?.data,
      loading: data === undefined && state.status !== 'stopped',
      error: state.error ?? own.error,
    };
  });
  return {
    subscribe: (run) => shown.subscribe(run),
    setHidden: (isHidden) =>
      standing.change({
        show: (data) => (data.isHidden === isHidden ? data : { ...data, isHidden }),
        run: async () => {
          await api.setHidden.mutate({ isHidden });
          await standing.refresh();
        },
        isConfirmed: (data) => data.isHidden === isHidden,
      }),
  };
}
