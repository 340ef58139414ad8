import type { Readable } from 'svelte/store';
import type { LiveCursor, LiveEvent } from '../connection/api.ts';
import type { Connection } from '../connection/connection.ts';
import type { LiveError } from '../connection/errors.ts';
import type { ConnectionStatus } from '../connection/status.ts';

/** Data, and up to which event of its topic it is told. */
export type Snapshot<T> = { data: T; cursor: LiveCursor };

/** The connection's states, of one query; and one more. */
export type LiveStatus =
  | ConnectionStatus
  | 'stopped'; // no right (any more), or signed out: it doesn't update, and says why in `error`

/** What a live query shows. */
export type LiveQueryState<T> = {
  status: LiveStatus;
  /** The last data, kept through every error; `undefined` until the first has come. */
  data: T | undefined;
  /** Why it isn't up to date, or why the last change was taken back. */
  error: LiveError | undefined;
  /** When the last event was applied: milliseconds since 1970, device clock. */
  lastEventAt: number | undefined;
  /** From commit to applied, of the last event that came over the socket. */
  latencyMs: number | undefined;
};

/** What a live query is made of. */
export type LiveQueryOptions<T> = {
  connection: Connection;
  topic: string;
  /** Loads the data and its cursor, read in one snapshot of the database. */
  load(): Promise<Snapshot<T>>;
  /** The data after an event. Pure; events that don't concern it give the same data back. */
  apply(data: T, event: LiveEvent): T;
  /** A snapshot from the server-rendered page: shown at once, and live from its cursor on. */
  initial?: Snapshot<T>;
};

/** A change that is shown before the server has confirmed it. */
export type LocalChange<T> = {
  /** The data as it will look. Computed from confirmed data each time; no effect when it is done. */
  show(data: T): T;
  /** Asks the server for it. */
  run(): Promise<unknown>;
  /** Whether confirmed data already contains it. */
  isConfirmed(data: T): boolean;
};

/** Live data: a Svelte store. Runs while it has subscribers. */
export type LiveQuery<T> = Readable<LiveQueryState<T>> & {
  /** Loads a new snapshot now. Resolves when it is there or has failed (see `error`). */
  refresh(): Promise<void>;
  /** Shows a change at once and asks for it; false when it was taken back (see `error`). */
  change(change: LocalChange<T>): Promise<boolean>;
  /** Loads a further part and merges it, exact to the event; false when that failed. */
  extend(load: () => Promise<Snapshot<T>>, merge: (data: T, part: T) => T): Promise<boolean>;
};

/** Live data of one topic. */
export function liveQuery<T>(_options: LiveQueryOptions<T>): LiveQuery<T> {
  throw new Error('not built yet');
}
