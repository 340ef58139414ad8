import type { Notification } from '@homeroom/api/contract';
import type { NotificationsStore } from '@homeroom/realtime';
import { putBack } from './boxes.ts';

/** Where a notification is put. */
export type Destination = { to: 'inbox' | 'archived' } | { to: 'snoozed'; until: string };

/** A move, as long as it is worth telling. */
export type Move = { before: Notification; destination: Destination };

/** Moves notifications between boxes, and knows the last move, to take it back. */
export function moving(store: NotificationsStore) {
  let last = $state.raw<Move>();

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
    /** The last move. */
    get last() {
      return last;
    },
    /** Shows at once; one that fails is taken back, and the store says why. */
    async move(before: Notification, destination: Destination): Promise<void> {
      const move: Move = { before, destination };
      last = move;
      const isDone = await send(before, destination);
      if (!isDone && last === move) last = undefined;
    },
    async undo(): Promise<void> {
      const undone = last;
      last = undefined;
      if (undone) await putBack(store, undone.before, undone.destination.to);
    },
    forget(): void {
      last = undefined;
    },
  };
}
