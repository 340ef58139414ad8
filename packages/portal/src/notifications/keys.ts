/** What keys do in the notification centre, for the help that `?` shows. */
export const notificationKeys = [
  { key: 'e', does: 'Archive, or take back into the inbox' },
  { key: 's', does: 'Snooze' },
  { key: 'z', does: 'Undo that' },
  { key: 'r', does: 'Mark as read' },
  { key: 'u', does: 'Mark as unread' },
  { key: 'Delete', does: 'Remove' },
] as const;
