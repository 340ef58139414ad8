import type { Readable } from 'svelte/store';
import type { LiveCursor, LiveEvent } from '../connection/api.ts';
import type { Connection, ConnectionInternals } from '../connection/connection.ts';
import { toChangeError, type LiveError } from '../connection/errors.ts';
import type { ConnectionStatus } from '../connection/status.ts';
import { within } from '../connection/within.ts';
import { Reader } from './reader.ts';

/** How long the event of a change that the server took may be on its way, ms, before we ask. */
const SETTLE_AFTER_MS = 1_000;

/** Data, and up to which event of its topic it is told. */
export type Snapshot<T> = { data: T; cursor: LiveCursor };

/** The connection's states, of one query; and one more. */
export type LiveStatus = ConnectionStatus | 'stopped'; // no right (any more), or signed out: it doesn't update, and says why in `error`

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
  /** Whether an event has left the data in a state that only a new snapshot can mend. */
  needsReload?(data: T): boolean;
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
export function liveQuery<T>(options: LiveQueryOptions<T>): LiveQuery<T> {
  return new Query(options);
}

/** A local change and how far it is. */
type Pending<T> = LocalChange<T> & {
  /** `sent`: no answer yet; `taken`: its event is on its way; `asked`: so is a proof without it. */
  stage: 'sent' | 'taken' | 'asked';
};

class Query<T> implements LiveQuery<T> {
  readonly #connection: ConnectionInternals;
  readonly #reader: Reader<T>;
  readonly #listeners = new Set<(state: LiveQueryState<T>) => void>();
  #pending: readonly Pending<T>[] = [];
  #changeError: LiveError | undefined;
  #state: LiveQueryState<T>;

  constructor({ connection, ...options }: LiveQueryOptions<T>) {
    this.#connection = connection.internals;
    const changed = () => this.#publish();
    this.#reader = new Reader(this.#connection, { ...options, changed });
    this.#state = this.#look();
  }

  subscribe(run: (state: LiveQueryState<T>) => void): () => void {
    this.#listeners.add(run);
    if (this.#listeners.size === 1) {
      this.#reader.start();
      this.#state = this.#look();
    }
    run(this.#state);
    return () => {
      if (!this.#listeners.delete(run) || this.#listeners.size > 0) return;
      this.#reader.stop();
      // What the server took is in the events that the next start catches up with.
      this.#pending = this.#pending.filter(({ stage }) => stage === 'sent');
    };
  }

  async refresh(): Promise<void> {
    this.#changeError = undefined;
    if (this.#listeners.size > 0) await this.#reader.refresh();
  }

  extend(load: () => Promise<Snapshot<T>>, merge: (data: T, part: T) => T): Promise<boolean> {
    return this.#reader.extend(load, merge);
  }

  async change(change: LocalChange<T>): Promise<boolean> {
    const pending: Pending<T> = { ...change, stage: 'sent' };
    this.#changeError = undefined;
    this.#pending = [...this.#pending, pending];
    this.#publish();
    try {
      await within(this.#connection.clock, change.run());
    } catch (error) {
      this.#changeError = toChangeError(error);
      this.#pending = this.#pending.filter((other) => other !== pending);
      this.#publish();
      return false;
    }
    pending.stage = 'taken';
    this.#publish();
    this.#settle(pending);
    return true;
  }

  /** The event of a change normally comes by itself; where it can't, or needn't, the API is asked. */
  #settle(pending: Pending<T>): void {
    const isJoined = this.#reader.topic?.facts.status === 'joined';
    this.#connection.clock.after(isJoined ? SETTLE_AFTER_MS : 0, () => {
      if (!this.#pending.includes(pending)) return;
      pending.stage = 'asked';
      this.#reader.interrupted();
      void this.#reader.topic?.check();
    });
  }

  #publish(): void {
    const { data, isBehind } = this.#reader;
    this.#pending = this.#pending.filter((pending) => {
      if (pending.stage === 'sent') return true;
      if (data !== undefined && pending.isConfirmed(data)) return false;
      return !(pending.stage === 'asked' && !isBehind);
    });
    const state = this.#look();
    if (isSame(state, this.#state)) return;
    this.#state = state;
    for (const run of [...this.#listeners]) run(state);
  }

  #look(): LiveQueryState<T> {
    const { data, topic, error, isBehind, isStopped, lastEventAt, latencyMs } = this.#reader;
    const facts = {
      status: 'blocked',
      lastCheck: 'none',
      ...topic?.facts,
      behind: isBehind,
    } as const;
    return {
      status: isStopped ? 'stopped' : this.#connection.statusOf(facts),
      data: data === undefined ? undefined : this.#shown(data),
      error: error ?? this.#changeError,
      lastEventAt,
      latencyMs,
    };
  }

  #shown(data: T): T {
    return this.#pending.reduce((shown, pending) => pending.show(shown), data);
  }
}

function isSame<T>(a: LiveQueryState<T>, b: LiveQueryState<T>): boolean {
  return (
    a.status === b.status &&
    a.data === b.data &&
    a.error === b.error &&
    a.lastEventAt === b.lastEventAt &&
    a.latencyMs === b.latencyMs
  );
}
