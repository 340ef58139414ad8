import type { Notification, NotificationSnapshot } from '@homeroom/api/contract';
import type { LiveEvent, NotificationFilters } from '../connection/api.ts';
import { isNotificationEvent } from './events.ts';
import { boxOf, matches } from './filters.ts';
import { inboxPlace, orderOf, type Place } from './order.ts';

/**
 * The part of the list that is loaded: everything that the filters let through, from the top
 * down to `floor`. Events keep exactly that, so the number of items grows and shrinks with them.
 */
export type NotificationWindow = {
  items: readonly Notification[];
  /** Of the user's whole inbox, whatever the filters. */
  unreadCount: number;
  /** The last place of the last page; `null` when the list is loaded to its end. */
  floor: Place | null;
  /** What `notifications.list` wants, to go on below the floor. */
  nextCursor: string | null;
  /** An event concerned notifications that aren't loaded and now belong to the list. */
  isStale: boolean;
};

/** The window that an answer of `notifications.list` opens. */
export function toWindow(
  { items, unreadCount, nextCursor }: NotificationSnapshot,
  { box }: NotificationFilters,
): NotificationWindow {
  const last = items.at(-1);
  const floor = nextCursor !== null && last ? orderOf(box).placeOf(last) : null;
  return { items, unreadCount, floor, nextCursor, isStale: false };
}

/** A window with the page below it. */
export function withPage(
  window: NotificationWindow,
  page: NotificationWindow,
  { box }: NotificationFilters,
): NotificationWindow {
  const { floor } = window;
  const { placeOf, compare } = orderOf(box);
  const below = page.items.filter((item) => floor && compare(floor, placeOf(item)) < 0);
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
  return withNew(without(window, notification.id), filters, notification);
}

/**
 * The same for one that isn't in the window yet. Nearly all belong on top, and are there without a
 * look at the others: a list that has been open for long is long.
 */
function withNew(
  window: NotificationWindow,
  filters: NotificationFilters,
  notification: Notification,
): NotificationWindow {
  if (!matches(filters, notification)) return window;
  const { floor } = window;
  const { placeOf, compare } = orderOf(filters.box);
  const place = placeOf(notification);
  if (floor !== null && compare(floor, place) < 0) return window;
  const index = window.items.findIndex((item) => compare(place, placeOf(item)) < 0);
  const at = index < 0 ? window.items.length : index;
  return { ...window, items: window.items.toSpliced(at, 0, notification) };
}

/** A window in which all of the inbox up to a place is read; the unread count is the caller's. */
export function withAllRead(
  window: NotificationWindow,
  filters: NotificationFilters,
  through: Place,
  readAt: string,
): NotificationWindow {
  const { placeOf, compare } = orderOf('inbox');
  const isMeant = (item: Notification) =>
    item.readAt === null && boxOf(item) === 'inbox' && compare(through, placeOf(item)) <= 0;
  const items = window.items
    .map((item) => (isMeant(item) ? { ...item, readAt } : item))
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
      return withNew(counted, filters, event.data.notification);
    case 'notification.updated':
      return withNotification(counted, filters, event.data.notification);
    case 'notification.removed':
      return without(counted, event.data.id);
    case 'notifications.read': {
      const { through, readAt, unreadDelta } = event.data;
      // A list of read ones gains those that were unread, of which the event tells only the number.
      const gains = filters.read === true && (filters.box ?? 'inbox') === 'inbox';
      if (gains && unreadDelta !== 0) return { ...counted, isStale: true };
      return withAllRead(counted, filters, inboxPlace(through), readAt);
    }
  }
}
