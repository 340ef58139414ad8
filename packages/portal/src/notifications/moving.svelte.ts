import type { Notification, NotificationBox } from '@homeroom/api/contract';
import type { NotificationsStore } from '@homeroom/realtime';
import { putBack } from './boxes.ts';

/** Where a notification is put. */
export type Destination = { to: 'inbox' | 'archived' } | { to: 'snoozed'; until: string };

const words: Record<NotificationBox, string> = {
  inbox: 'Back in the inbox.',
  snoozed: 'Snoozed.',
  archived: 'Archived.',
};

/** Moves notifications between boxes, and knows the last move, to take it back. */
export function moving(store: NotificationsStore) {
  let last = $state.raw<{ before: Notification; box: NotificationBox; words: string }>();

  function send({ id, archivedAt }: Notification, destination: Destination): Promise<boolean> {
    switch (destination.to) {
      case 'archived':
        return store.archive(id);
      case 'snoozed':
        return store.snooze(id, destination.until);
      case 'inbox':
        return archivedAt === null ? store.unsnooze(id) : store.unarchive(id);
    }
  }

  return {
    /** The last move, while it is worth telling. */
    get last() {
      return last;
    },
    /** Shows at once; one that fails is taken back, and the store says why. */
    async move(before: Notification, destination: Destination): Promise<void> {
      const box = destination.to;
      const move = { before, box, words: words[box] };
      last = move;
      const isDone = await send(before, destination);
      if (!isDone && last === move) last = undefined;
    },
    async undo(): Promise<void> {
      const undone = last;
      last = undefined;
      if (undone) await putBack(store, undone.before, undone.box);
    },
    forget(): void {
      last = undefined;
    },
  };
}
