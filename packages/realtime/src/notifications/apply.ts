import type { Notification, NotificationSnapshot } from '@homeroom/api/contract';
import type { LiveEvent, NotificationFilters } from '../connection/api.ts';
import { isNotificationEvent } from './events.ts';
import { matches } from './filters.ts';

/** The place of a notification in the list: newest first, and the id decides between equals. */
export type Place = { createdAt: string; id: string };

/**
 * The part of the list that is loaded: everything that the filters let through, from the newest
 * down to `floor`. Events keep exactly that, so the number of items grows and shrinks with them.
 */
export type NotificationWindow = {
  items: readonly Notification[];
  /** Of all of the user's notifications, whatever the filters. */
  unreadCount: number;
  /** The last place of the last page; `null` when the list is loaded to its end. */
  floor: Place | null;
  /** What `notifications.list` wants, to go on below the floor. */
  nextCursor: string | null;
  /** An event concerned notifications that aren't loaded and now belong to the list. */
  isStale: boolean;
};

/** Negative when `a` stands before `b` in the list. Times have a fixed width, so text order does. */
export function compare(a: Place, b: Place): number {
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt ? -1 : 1;
  if (a.id !== b.id) return a.id > b.id ? -1 : 1;
  return 0;
}

/** The window that an answer of `notifications.list` opens. */
export function toWindow({
  items,
  unreadCount,
  nextCursor,
}: NotificationSnapshot): NotificationWindow {
  const last = items.at(-1);
  const floor = nextCursor !== null && last ? { createdAt: last.createdAt, id: last.id } : null;
  return { items, unreadCount, floor, nextCursor, isStale: false };
}

/** A window with the page below it. */
export function withPage(window: NotificationWindow, page: NotificationWindow): NotificationWindow {
  const { floor } = window;
  const below = page.items.filter((item) => floor && compare(floor, item) < 0);
  return {
    ...window,
    items: [...window.items, ...below],
    floor: page.floor,
    nextCursor: page.nextCursor,
    isStale: window.isStale || page.isStale,
  };
}

/** A window without a notification. */
export function without(window: NotificationWindow, id: string): NotificationWindow {
  if (!window.items.some((item) => item.id === id)) return window;
  return { ...window, items: window.items.filter((item) => item.id !== id) };
}

/** A window in which a notification is as given: in its place, or gone if it isn't wanted there. */
export function withNotification(
  window: NotificationWindow,
  filters: NotificationFilters,
  notification: Notification,
): NotificationWindow {
  const rest = without(window, notification.id);
  const { floor } = window;
  const isBelow = floor !== null && compare(floor, notification) < 0;
  if (isBelow || !matches(filters, notification)) return rest;
  const place = rest.items.findIndex((item) => compare(notification, item) < 0);
  const items = rest.items.toSpliced(place < 0 ? rest.items.length : place, 0, notification);
  return { ...rest, items };
}

/** A window in which everything up to a place is read; the unread count is the caller's. */
export function withAllRead(
  window: NotificationWindow,
  filters: NotificationFilters,
  through: Place,
  readAt: string,
): NotificationWindow {
  const items = window.items
    .map((item) =>
      item.readAt === null && compare(through, item) <= 0 ? { ...item, readAt } : item,
    )
    .filter((item) => matches(filters, item));
  return { ...window, items };
}

/** The window after an event. Pure; the filters are those that it was loaded with. */
export function apply(
  window: NotificationWindow,
  event: LiveEvent,
  filters: NotificationFilters,
): NotificationWindow {
  if (!isNotificationEvent(event)) return window;
  const unreadCount = window.unreadCount + event.data.unreadDelta;
  const counted = { ...window, unreadCount };
  switch (event.event) {
    case 'notification.created':
    case 'notification.updated':
      return withNotification(counted, filters, event.data.notification);
    case 'notification.removed':
      return without(counted, event.data.id);
    case 'notifications.read': {
      const { through, readAt, unreadDelta } = event.data;
      // A list of read ones gains those that were unread, of which the event tells only the number.
      if (filters.read === true && unreadDelta !== 0) return { ...counted, isStale: true };
      return withAllRead(counted, filters, through, readAt);
    }
  }
}
