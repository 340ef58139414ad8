import type { LiveCursor, Notification, NotificationSnapshot } from '@homeroom/api/contract';
import type { Readable } from 'svelte/store';
import type { NotificationFilters } from '../connection/api.ts';
import type { Connection } from '../connection/connection.ts';
import type { LiveError } from '../connection/errors.ts';
import {
  liveQuery,
  type LiveQuery,
  type LiveQueryState,
  type LiveStatus,
} from '../live-query/live-query.ts';
import { apply, toWindow, withPage, type NotificationWindow } from './apply.ts';
import { removal, setAllRead, setBox, setRead, type Move } from './changes.ts';
import { orderOf } from './order.ts';

/** Notifications per page, when not told. */
const LIMIT = 20;
/** The most that the API gives at once. */
const LIMIT_MAX = 100;

/** What a list of notifications shows. */
export type NotificationsState = {
  status: LiveStatus;
  /**
   * Everything that the filter lets through, down to the last page loaded: newest first, and of the
   * snoozed ones first what comes back next.
   */
  list: readonly Notification[];
  /** Of the user's whole inbox, whatever the filter. */
  unreadCount: number;
  /** The first page isn't there yet. */
  loading: boolean;
  /** A further page is on its way. */
  loadingMore: boolean;
  /** There are older ones to load. */
  hasMore: boolean;
  error: LiveError | undefined;
  lastEventAt: number | undefined;
  latencyMs: number | undefined;
};

/** How a list of notifications starts. */
export type NotificationOptions = {
  /** Notifications per page, 1–100; 20 when not given. */
  limit?: number;
  /** What `notifications.list` gave to the server-rendered page, with the same filters and limit. */
  initial?: { data: NotificationSnapshot; cursor: LiveCursor };
};

/** The user's notifications, live. Each change shows at once, and is taken back if it fails. */
export type NotificationsStore = Readable<NotificationsState> & {
  loadMore(): Promise<boolean>;
  markAsRead(id: string): Promise<boolean>;
  markAsUnread(id: string): Promise<boolean>;
  /**
   * Marks everything in the inbox up to the newest one shown, of which this is a list; what comes in
   * meanwhile stays unread. In a list of another box there is nothing to do.
   */
  markAllAsRead(): Promise<boolean>;
  /** Out of the inbox for good, as far as one doesn't want it back. */
  archive(id: string): Promise<boolean>;
  unarchive(id: string): Promise<boolean>;
  /** Out of the inbox until a moment to come, at most a year away; ISO, with its zone. */
  snooze(id: string, until: string): Promise<boolean>;
  unsnooze(id: string): Promise<boolean>;
  remove(id: string): Promise<boolean>;
  refresh(): Promise<void>;
};

/** The user's notifications, newest first, live. */
export function notifications(
  connection: Connection,
  filters: NotificationFilters = {},
  options: NotificationOptions = {},
): NotificationsStore {
  return new Notifications(connection, filters, options);
}

class Notifications implements NotificationsStore {
  readonly #connection: Connection;
  readonly #filters: NotificationFilters;
  readonly #limit: number;
  readonly #query: LiveQuery<NotificationWindow>;
  readonly #listeners = new Set<(state: NotificationsState) => void>();
  #latest: LiveQueryState<NotificationWindow> | undefined;
  #loadingMore: Promise<boolean> | undefined;
  #stop: (() => void) | undefined;

  constructor(
    connection: Connection,
    filters: NotificationFilters,
    { limit = LIMIT, initial }: NotificationOptions,
  ) {
    this.#connection = connection;
    this.#filters = filters;
    this.#limit = limit;
    this.#query = liveQuery({
      connection,
      topic: `user:${connection.userId}`,
      load: () => this.#load(this.#loadedCount()),
      apply: (window, event) => apply(window, event, filters),
      needsReload: ({ isStale }) => isStale,
      initial: initial && { data: toWindow(initial.data, filters), cursor: initial.cursor },
    });
  }

  subscribe(run: (state: NotificationsState) => void): () => void {
    this.#listeners.add(run);
    if (this.#stop && this.#latest) run(this.#look(this.#latest));
    this.#stop ??= this.#query.subscribe((state) => {
      this.#latest = state;
      this.#publish();
    });
    return () => {
      this.#listeners.delete(run);
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  loadMore(): Promise<boolean> {
    if (this.#loadingMore) return this.#loadingMore;
    const cursor = this.#latest?.data?.nextCursor;
    if (!cursor) return Promise.resolve(false);
    this.#loadingMore = this.#query
      .extend(
        () => this.#load(this.#limit, cursor),
        (window, page) => withPage(window, page, this.#filters),
      )
      .finally(() => {
        this.#loadingMore = undefined;
        this.#publish();
      });
    this.#publish();
    return this.#loadingMore;
  }

  markAsRead(id: string): Promise<boolean> {
    return this.#query.change(setRead(this.#api, this.#filters, id, this.#now()));
  }

  markAsUnread(id: string): Promise<boolean> {
    return this.#query.change(setRead(this.#api, this.#filters, id, null));
  }

  markAllAsRead(): Promise<boolean> {
    const newest = this.#latest?.data?.items[0];
    const { box = 'inbox' } = this.#filters;
    if (!newest || box !== 'inbox') return Promise.resolve(true);
    const through = orderOf(box).placeOf(newest);
    return this.#query.change(setAllRead(this.#api, this.#filters, through, this.#now()));
  }

  archive(id: string): Promise<boolean> {
    return this.#move(id, { to: 'archived', at: this.#now() });
  }

  unarchive(id: string): Promise<boolean> {
    return this.#move(id, { to: 'inbox', from: 'archived' });
  }

  snooze(id: string, until: string): Promise<boolean> {
    return this.#move(id, { to: 'snoozed', until });
  }

  unsnooze(id: string): Promise<boolean> {
    return this.#move(id, { to: 'inbox', from: 'snoozed' });
  }

  remove(id: string): Promise<boolean> {
    return this.#query.change(removal(this.#api, id));
  }

  refresh(): Promise<void> {
    return this.#query.refresh();
  }

  get #api() {
    return this.#connection.api.notifications;
  }

  #move(id: string, move: Move): Promise<boolean> {
    return this.#query.change(setBox(this.#api, this.#filters, id, move));
  }

  /** Shown until the database's own moment comes with the event. */
  #now(): string {
    return new Date(this.#connection.internals.clock.now()).toISOString();
  }

  async #load(limit: number, cursor?: string) {
    const { data, cursor: liveCursor } = await this.#api.list.query({
      ...this.#filters,
      limit,
      cursor,
    });
    return { data: toWindow(data, this.#filters), cursor: liveCursor };
  }

  /** A new snapshot reaches as far down as the old one, as far as one answer can. */
  #loadedCount(): number {
    const loaded = this.#latest?.data?.items.length ?? 0;
    return Math.min(Math.max(loaded, this.#limit), LIMIT_MAX);
  }

  #look(state: LiveQueryState<NotificationWindow>): NotificationsState {
    const { data, status, error, lastEventAt, latencyMs } = state;
    return {
      status,
      list: data?.items ?? [],
      unreadCount: data?.unreadCount ?? 0,
      loading: data === undefined && status !== 'stopped',
      loadingMore: this.#loadingMore !== undefined,
      hasMore: data !== undefined && data.nextCursor !== null,
      error,
      lastEventAt,
      latencyMs,
    };
  }

  #publish(): void {
    if (!this.#latest) return;
    const state = this.#look(this.#latest);
    for (const run of [...this.#listeners]) run(state);
  }
}
