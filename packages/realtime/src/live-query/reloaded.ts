import { derived, type Readable } from 'svelte/store';
import type { LiveEvent } from '../connection/api.ts';
import type { Connection } from '../connection/connection.ts';
import { liveQuery, type LiveQueryState, type Snapshot } from './live-query.ts';

/** What a reloaded query is made of. */
export type ReloadedOptions<T> = {
  connection: Connection;
  topic: string;
  load(): Promise<Snapshot<T>>;
  /** Whether an event makes the data old. */
  concerns(event: LiveEvent): boolean;
  /** A snapshot from the server-rendered page: shown at once, and live from its cursor on. */
  initial?: Snapshot<T>;
};

/** Live data that is loaded anew. */
export type Reloaded<T> = Readable<LiveQueryState<T>> & {
  /** Loads it anew now, for what is told elsewhere. */
  refresh(): Promise<void>;
};

/**
 * Live data that is loaded anew when an event makes it old, for what an event can't change by
 * itself (a joined list, a sum). Events in one go cost one load.
 */
export function reloaded<T>(options: ReloadedOptions<T>): Reloaded<T> {
  const { load, concerns, initial, ...rest } = options;
  const query = liveQuery<{ value: T; isOld: boolean }>({
    ...rest,
    load: async () => fresh(await load()),
    apply: (data, event) => (concerns(event) ? { ...data, isOld: true } : data),
    needsReload: ({ isOld }) => isOld,
    initial: initial && fresh(initial),
  });
  const { subscribe } = derived(query, (state) => ({ ...state, data: state.data?.value }));
  return { subscribe, refresh: () => query.refresh() };
}

function fresh<T>({ data, cursor }: Snapshot<T>): Snapshot<{ value: T; isOld: boolean }> {
  return { data: { value: data, isOld: false }, cursor };
}
