import type { Connection } from '../connection/connection.ts';
import { browserActivity, type Activity } from './activity.ts';

/** How often a tab says that it is there, ms. A lease lasts 45 s: one lost word is no absence. */
const BEAT_EVERY_MS = 20_000;

/** Says that a tab is somewhere, again and again, until it isn't. */
export class Beats {
  readonly #connection: Connection;
  readonly #place: string;
  readonly #activity: Activity;
  #chosen: 'online' | 'away' = 'online';
  #cancel: (() => void) | undefined;
  #isThere = false;

  constructor(connection: Connection, place: string, activity: Activity) {
    this.#connection = connection;
    this.#place = place;
    this.#activity = activity;
  }

  /** Gives what ends it. */
  start(): () => void {
    // By the clock: while the server renders a page, nobody is there.
    this.#cancel = this.#connection.internals.clock.after(0, () => this.#beat());
    const stopWatching = this.#activity.watch(
      () => this.#beat(),
      () => this.#leave(),
    );
    return () => {
      stopWatching();
      this.#leave();
    };
  }

  /** In front of this tab, the person is that from now on; said at once. */
  choose(status: 'online' | 'away'): void {
    this.#chosen = status;
    this.#beat();
  }

  #beat(): void {
    this.#cancel?.();
    this.#isThere = true;
    this.#say(this.#activity.isAway() ? 'away' : this.#chosen);
    this.#cancel = this.#connection.internals.clock.after(BEAT_EVERY_MS, () => this.#beat());
  }

  /** Says so once, if it was there. */
  #leave(): void {
    this.#cancel?.();
    if (this.#isThere) this.#say('leaving');
    this.#isThere = false;
  }

  /** A lost word is followed by the next one. */
  #say(status: 'online' | 'away' | 'leaving'): void {
    this.#connection.api.presence.keep
      .mutate({ place: this.#place, status })
      .catch((error: unknown) => this.#connection.internals.log('presence not told', error));
  }
}

/** While it lasts, those whom the person writes with see that they are there. Gives what ends it. */
export function keepPresent(connection: Connection, activity?: Activity): () => void {
  return new Beats(
    connection,
    'portal',
    activity ?? browserActivity(connection.internals.clock),
  ).start();
}
