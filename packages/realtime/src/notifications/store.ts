import type { LiveCursor, Notification, NotificationSnapshot } from '@homeroom/api/contract';
import type { Readable } from 'svelte/store';
import type { NotificationFilters } from '../connection/api.ts';
import type { Connection } from '../connection/connection.ts';
import type { LiveError } from '../connection/errors.ts';
import type { LiveStatus } from '../live-query/live-query.ts';

/** What a list of notifications shows. */
export type NotificationsState = {
  status: LiveStatus;
  /** Newest first: everything that the filter lets through, down to the last page loaded. */
  list: readonly Notification[];
  /** Of all of the user's notifications, whatever the filter. */
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
  /** Marks everything up to the newest one shown; what comes in meanwhile stays unread. */
  markAllAsRead(): Promise<boolean>;
  remove(id: string): Promise<boolean>;
  refresh(): Promise<void>;
};

/** The user's notifications, newest first, live. */
export function notifications(
  _connection: Connection,
  _filters: NotificationFilters = {},
  _options: NotificationOptions = {},
): NotificationsStore {
  throw new Error('not built yet');
}
