import type { Notification, NotificationBox } from '@homeroom/api/contract';
import type { NotificationsStore } from '@homeroom/realtime';

/** The boxes as people say them, and what an empty one tells. */
export const boxWords: Record<NotificationBox, { label: string; empty: string; hint: string }> = {
  inbox: {
    label: 'Inbox',
    empty: 'Nothing in your inbox',
    hint: 'What happens in your courses will be here the moment it happens.',
  },
  snoozed: {
    label: 'Snoozed',
    empty: 'Nothing snoozed',
    hint: 'Snooze a notification, and it comes back unread when it suits you.',
  },
  archived: {
    label: 'Archived',
    empty: 'Nothing archived',
    hint: 'Archive what you are done with: it is out of the way, and kept here for 90 days.',
  },
};

/** Whether it has come back from being snoozed, and stands where it came back. */
export function isBack({ createdAt, listedAt }: Notification): boolean {
  return listedAt !== createdAt;
}

/** Takes a notification that is in `box` now back to where it was before. */
export function putBack(
  store: NotificationsStore,
  before: Notification,
  box: NotificationBox,
): Promise<boolean> {
  const { id, archivedAt, snoozedUntil } = before;
  if (snoozedUntil !== null) return store.snooze(id, snoozedUntil);
  if (archivedAt !== null) return store.archive(id);
  return box === 'archived' ? store.unarchive(id) : store.unsnooze(id);
}
