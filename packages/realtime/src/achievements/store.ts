import type { DeclaredAchievement } from '@homeroom/api/contract';
import { derived, type Readable } from 'svelte/store';
import type { Connection } from '../connection/connection.ts';
import { liveQuery, type LiveQueryState, type Snapshot } from '../live-query/live-query.ts';
import { apply, type AchievementsWindow } from './apply.ts';

type List = { items: DeclaredAchievement[] };

/** What can be earned, and was. */
export type AchievementsState = Omit<LiveQueryState<unknown>, 'data'> & {
  /** The easiest first; `earnedAt` is null until it is earned. */
  list: readonly DeclaredAchievement[];
  /** The last one earned since one began to look: what to celebrate. */
  latest: DeclaredAchievement | undefined;
  loading: boolean;
};

/** What can be earned, and was, live. */
export type AchievementsStore = Readable<AchievementsState>;

/** What the user can earn and has. `initial` is what `achievements.list` gave to the page. */
export function achievements(
  connection: Connection,
  { initial }: { initial?: Snapshot<List> } = {},
): AchievementsStore {
  const query = liveQuery<AchievementsWindow>({
    connection,
    topic: `user:${connection.userId}`,
    load: async () => windowOf(await connection.api.achievements.list.query()),
    apply,
    needsReload: ({ isStale }) => isStale,
    initial: initial && windowOf(initial),
  });
  return derived(query, ({ data, ...state }) => ({
    ...state,
    list: data?.items ?? [],
    latest: data?.latest,
    loading: data === undefined && state.status !== 'stopped',
  }));
}

function windowOf({ data, cursor }: Snapshot<List>): Snapshot<AchievementsWindow> {
  return { data: { items: data.items, latest: undefined, isStale: false }, cursor };
}
