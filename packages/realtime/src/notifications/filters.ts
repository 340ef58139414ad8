import type { Notification, NotificationBox } from '@homeroom/api/contract';
import type { NotificationFilters } from '../connection/api.ts';

/** Microseconds since 1970 of an ISO moment, as exact as the database has it. */
function toMicroseconds(moment: string): number {
  const fraction = /\.(\d+)/.exec(moment)?.[1] ?? '';
  const beyondMilliseconds = fraction.padEnd(6, '0').slice(3, 6);
  return Math.floor(Date.parse(moment)) * 1_000 + Number(beyondMilliseconds);
}

/** Which box a notification is in. */
export function boxOf({ archivedAt, snoozedUntil }: Notification): NotificationBox {
  if (archivedAt !== null) return 'archived';
  return snoozedUntil === null ? 'inbox' : 'snoozed';
}

/** What a notification adds to the unread count: nothing when it is put away. */
export function unreadIn(notification: Notification): 0 | 1 {
  return notification.readAt === null && boxOf(notification) === 'inbox' ? 1 : 0;
}

/** Whether a notification belongs to the list, as `notifications.list` decides it. */
export function matches(filters: NotificationFilters, notification: Notification): boolean {
  const { box = 'inbox', type, read, from, to } = filters;
  if (boxOf(notification) !== box) return false;
  if (type !== undefined && notification.type !== type) return false;
  if (read !== undefined && (notification.readAt !== null) !== read) return false;
  if (from === undefined && to === undefined) return true;
  const createdAt = toMicroseconds(notification.createdAt);
  if (from !== undefined && createdAt < toMicroseconds(from)) return false;
  return to === undefined || createdAt <= toMicroseconds(to);
}
