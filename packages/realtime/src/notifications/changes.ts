import type { Notification } from '@homeroom/api/contract';
import type { NotificationFilters, NotificationsApi } from '../connection/api.ts';
import type { LocalChange } from '../live-query/live-query.ts';
import {
  compare,
  withAllRead,
  withNotification,
  without,
  type NotificationWindow,
  type Place,
} from './apply.ts';

type Change = LocalChange<NotificationWindow>;
type Api = NotificationsApi['notifications'];

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
      if (!item) return window;
      const unreadCount = window.unreadCount + (readAt === null ? 1 : -1);
      return withNotification({ ...window, unreadCount }, filters, { ...item, readAt });
    },
    run: () => (readAt === null ? api.markAsUnread : api.markAsRead).mutate({ id }),
    isConfirmed: ({ items }) => !items.some(changes),
  };
}

/** Marks everything up to a place as read. */
export function setAllRead(
  api: Api,
  filters: NotificationFilters,
  through: Place,
  readAt: string,
): Change {
  const isUnread = ({ readAt }: Notification) => readAt === null;
  const isThrough = (place: Place) => compare(through, place) <= 0;
  const isAll = Object.values(filters).every((filter) => filter === undefined);
  return {
    show(window) {
      const unread = window.items.filter(isUnread);
      // Without filters, all that stay unread are in the window: they stand above the place.
      const unreadCount = isAll
        ? unread.filter((item) => !isThrough(item)).length
        : window.unreadCount - unread.filter(isThrough).length;
      return withAllRead({ ...window, unreadCount }, filters, through, readAt);
    },
    run: () =>
      api.markAllAsRead.mutate({ through: { createdAt: through.createdAt, id: through.id } }),
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
      const unreadCount = window.unreadCount - (item.readAt === null ? 1 : 0);
      return without({ ...window, unreadCount }, id);
    },
    run: () => api.remove.mutate({ id }),
    isConfirmed: ({ items }) => !items.some((item) => item.id === id),
  };
}
