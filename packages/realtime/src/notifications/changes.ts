import type { Notification } from '@homeroom/api/contract';
import type { NotificationFilters, NotificationsApi } from '../connection/api.ts';
import type { LocalChange } from '../live-query/live-query.ts';
import { withAllRead, withNotification, without, type NotificationWindow } from './apply.ts';
import { boxOf, unreadIn } from './filters.ts';
import { orderOf, type Place } from './order.ts';

type Change = LocalChange<NotificationWindow>;
type Api = NotificationsApi['notifications'];

/** A window in which a notification has changed, the unread count with it. */
function withChanged(
  window: NotificationWindow,
  filters: NotificationFilters,
  before: Notification,
  after: Notification,
): NotificationWindow {
  const unreadCount = window.unreadCount + unreadIn(after) - unreadIn(before);
  return withNotification({ ...window, unreadCount }, filters, after);
}

/** Marks one notification as read (`readAt` is a moment), or as unread (`null`). */
export function setRead(
  api: Api,
  filters: NotificationFilters,
  id: string,
  readAt: string | null,
): Change {
  const changes = (item: Notification) =>
    item.id === id && (item.readAt === null) !== (readAt === null);
  return {
    show(window) {
      const item = window.items.find(changes);
      return item ? withChanged(window, filters, item, { ...item, readAt }) : window;
    },
    run: () => (readAt === null ? api.markAsUnread : api.markAsRead).mutate({ id }),
    isConfirmed: ({ items }) => !items.some(changes),
  };
}

/** Where one puts a notification: into a box, and for how long. */
export type Move =
  | { to: 'inbox'; from: 'archived' | 'snoozed' }
  | { to: 'archived'; at: string }
  | { to: 'snoozed'; until: string };

/** A notification where it was moved to. */
function moved(item: Notification, move: Move): Notification {
  switch (move.to) {
    case 'inbox':
      return { ...item, [move.from === 'archived' ? 'archivedAt' : 'snoozedUntil']: null };
    case 'archived':
      return { ...item, archivedAt: item.archivedAt ?? move.at, snoozedUntil: null };
    case 'snoozed':
      return { ...item, archivedAt: null, snoozedUntil: move.until };
  }
}

/** Moves one notification to another box, or puts it off until another moment. */
export function setBox(api: Api, filters: NotificationFilters, id: string, move: Move): Change {
  const isThere = (item: Notification) =>
    move.to === 'snoozed'
      ? item.snoozedUntil !== null && Date.parse(item.snoozedUntil) === Date.parse(move.until)
      : boxOf(item) === boxOf(moved(item, move));
  const isWaiting = (item: Notification) => item.id === id && !isThere(item);
  return {
    show(window) {
      const item = window.items.find(isWaiting);
      return item ? withChanged(window, filters, item, moved(item, move)) : window;
    },
    run() {
      switch (move.to) {
        case 'inbox':
          return (move.from === 'archived' ? api.unarchive : api.unsnooze).mutate({ id });
        case 'archived':
          return api.archive.mutate({ id });
        case 'snoozed':
          return api.snooze.mutate({ id, until: move.until });
      }
    },
    isConfirmed: ({ items }) => !items.some(isWaiting),
  };
}

/** Marks everything in the inbox up to a place as read. */
export function setAllRead(
  api: Api,
  filters: NotificationFilters,
  through: Place,
  readAt: string,
): Change {
  const isUnread = (item: Notification) => unreadIn(item) === 1;
  const { placeOf, compare } = orderOf('inbox');
  const isThrough = (item: Notification) => compare(through, placeOf(item)) <= 0;
  const { box = 'inbox', ...narrowing } = filters;
  const isAll = box === 'inbox' && Object.values(narrowing).every((filter) => filter === undefined);
  return {
    show(window) {
      const unread = window.items.filter(isUnread);
      // Without filters, all that stay unread are in the window: they stand above the place.
      const unreadCount = isAll
        ? unread.filter((item) => !isThrough(item)).length
        : window.unreadCount - unread.filter(isThrough).length;
      return withAllRead({ ...window, unreadCount }, filters, through, readAt);
    },
    run: () => api.markAllAsRead.mutate({ through: { createdAt: through.at, id: through.id } }),
    isConfirmed: ({ items, unreadCount }) =>
      unreadCount === 0 ||
      (isAll && unreadCount === items.filter((item) => isUnread(item) && !isThrough(item)).length),
  };
}

/** Removes one notification. */
export function removal(api: Api, id: string): Change {
  return {
    show(window) {
      const item = window.items.find((candidate) => candidate.id === id);
      if (!item) return window;
      const unreadCount = window.unreadCount - unreadIn(item);
      return without({ ...window, unreadCount }, id);
    },
    run: () => api.remove.mutate({ id }),
    isConfirmed: ({ items }) => !items.some((item) => item.id === id),
  };
}
