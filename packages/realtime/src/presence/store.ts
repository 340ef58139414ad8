import type { LiveCursor, Person, Presence } from '@homeroom/api/contract';
import type { Readable } from 'svelte/store';
import type { Connection } from '../connection/connection.ts';
import { toChangeError, type LiveError } from '../connection/errors.ts';
import { within } from '../connection/within.ts';
import { Composite } from '../live-query/composite.ts';
import {
  liveQuery,
  type LiveQuery,
  type LiveQueryState,
  type LiveStatus,
} from '../live-query/live-query.ts';
import { browserActivity, type Activity } from './activity.ts';
import { Beats } from './beats.ts';
import { apply, byName, type PresenceWindow } from './apply.ts';

/** Where one can be. */
export type Place = { course: string } | { workshop: string } | { thread: string };

/** Someone who is there; the name is the server's. */
export type OnlineUser = Person & { status: 'online' | 'away' };

/** What presence shows. */
export type PresenceState = {
  status: LiveStatus;
  /** By name; empty where there are more than a hundred. */
  onlineUsers: readonly OnlineUser[];
  totalOnline: number;
  /** There are so many that only their number is told. */
  isCrowd: boolean;
  error: LiveError | undefined;
};

/** Who is at a place, live. While it is followed, the person is there too. */
export type PresenceStore = Readable<PresenceState> & {
  /** `invisible` is everywhere and for good, `online` ends it; `away` is for this tab. */
  updateStatus(status: 'online' | 'away' | 'invisible'): Promise<LiveError | undefined>;
};

/** How presence starts. */
export type PresenceOptions = {
  /** What `presence.list` gave to the server-rendered page. */
  initial?: { data: Presence; cursor: LiveCursor };
  /** Whether someone is in front of the tab; the browser's own signs when not given. */
  activity?: Activity;
  /** Only looks: the person isn't there because of it. */
  isWatching?: boolean;
};

/** Who is in a course, a workshop or a thread. */
export function presence(
  connection: Connection,
  place: Place,
  options: PresenceOptions = {},
): PresenceStore {
  return new LivePresence(connection, topicOf(place), options);
}

function topicOf(place: Place): string {
  if ('course' in place) return `course:${place.course}`;
  return 'workshop' in place ? `workshop:${place.workshop}` : `thread:${place.thread}`;
}

class LivePresence extends Composite<PresenceState> implements PresenceStore {
  readonly #connection: Connection;
  readonly #query: LiveQuery<PresenceWindow>;
  readonly #beats: Beats;
  readonly #isWatching: boolean;
  #latest: LiveQueryState<PresenceWindow> | undefined;

  constructor(connection: Connection, place: string, options: PresenceOptions) {
    const { initial, activity, isWatching = false } = options;
    super();
    this.#connection = connection;
    this.#isWatching = isWatching;
    this.#beats = new Beats(
      connection,
      place,
      activity ?? browserActivity(connection.internals.clock),
    );
    this.#query = liveQuery({
      connection,
      topic: place,
      load: async () => {
        const { data, cursor } = await this.#api.list.query({ place });
        return { data: toWindow(data), cursor };
      },
      apply,
      needsReload: ({ isStale }) => isStale,
      initial: initial && { data: toWindow(initial.data), cursor: initial.cursor },
    });
  }

  async updateStatus(status: 'online' | 'away' | 'invisible'): Promise<LiveError | undefined> {
    const { clock } = this.#connection.internals;
    try {
      if (status !== 'away') {
        const isInvisible = status === 'invisible';
        await within(clock, this.#api.settings.set.mutate({ isInvisible }));
      }
      if (!this.#isWatching) this.#beats.choose(status === 'away' ? 'away' : 'online');
      return undefined;
    } catch (error) {
      return toChangeError(error);
    }
  }

  protected override followSources(): (() => void)[] {
    const stopQuery = this.#query.subscribe((state) => {
      this.#latest = state;
      this.changed();
    });
    return this.#isWatching ? [stopQuery] : [stopQuery, this.#beats.start()];
  }

  protected override look(): PresenceState {
    const { data, status = 'connecting', error } = this.#latest ?? {};
    const people = data?.people ?? [];
    return {
      status,
      onlineUsers: people.map((one) => ({ ...one.person, status: one.status })),
      totalOnline: data?.onlineCount ?? 0,
      isCrowd: data?.people === null,
      error,
    };
  }

  get #api() {
    return this.#connection.api.presence;
  }
}

function toWindow({ onlineCount, people }: Presence): PresenceWindow {
  return { onlineCount, people: people?.toSorted(byName) ?? null, isStale: false };
}
