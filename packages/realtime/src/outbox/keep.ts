import type { Connection } from '../connection/connection.ts';
import { browserStorage, type KeyValue } from './key-value.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';

/** What a connection keeps for its user: one place, and one outbox of each name. */
type Keeping = { storage: KeyValue; outboxes: Map<string, unknown> };

const keepings = new WeakMap<Connection, Keeping>();

function keepingOf(connection: Connection): Keeping {
  let keeping = keepings.get(connection);
  if (!keeping) {
    keeping = { storage: browserStorage(), outboxes: new Map() };
    keepings.set(connection, keeping);
  }
  return keeping;
}

/** Where a connection's user keeps drafts and what is to be sent. For tests: `storage` replaces it. */
export function storageOf(connection: Connection, storage?: KeyValue): KeyValue {
  const keeping = keepingOf(connection);
  if (storage) keeping.storage = storage;
  return keeping.storage;
}

/**
 * The one outbox of a name, however many stores use it; it goes on delivering when none does. The
 * user's id is in the name of what is kept: nobody sends what another has written on this device.
 */
export function outboxOf<Payload, Answer>(
  connection: Connection,
  name: string,
  deliver: OutboxOptions<Payload, Answer>['deliver'],
): Outbox<Payload, Answer> {
  const { outboxes, storage } = keepingOf(connection);
  const known = outboxes.get(name);
  if (known) return known as Outbox<Payload, Answer>;
  const { clock } = connection.internals;
  const fullName = `homeroom.${connection.userId}.${name}`;
  const outbox = new Outbox<Payload, Answer>({ name: fullName, storage, clock, deliver });
  outboxes.set(name, outbox);
  wakeWhenBack(connection, outbox);
  return outbox;
}

/** What waits is tried at once when the connection comes back, rather than when its time comes. */
function wakeWhenBack(connection: Connection, outbox: { wake(): void }): void {
  let before: string | undefined;
  connection.subscribe(({ status }) => {
    const isBack = (status === 'live' || status === 'polling') && before !== status;
    before = status;
    if (isBack) outbox.wake();
  });
}
