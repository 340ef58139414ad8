import type { Contact, LiveCursor } from '@homeroom/api/contract';
import { derived, type Readable } from 'svelte/store';
import type { LiveEvent } from '../connection/api.ts';
import type { Connection } from '../connection/connection.ts';
import { liveQuery } from '../live-query/live-query.ts';

/** Whether those whom one writes with are there, by their ids; who isn't in it can't be seen. */
export type ContactsStore = Readable<ReadonlyMap<string, Contact>>;

/** How contacts start. */
export type ContactsOptions = {
  /** Only this person. */
  userId?: string;
  /** What `presence.contacts` gave to the server-rendered page, of the same. */
  initial?: { data: { items: Contact[] }; cursor: LiveCursor };
};

/** Whether one person, or those of the newest conversations, have a portal open. Live. */
export function contacts(
  connection: Connection,
  { userId, initial }: ContactsOptions = {},
): ContactsStore {
  const query = liveQuery<readonly Contact[]>({
    connection,
    topic: `user:${connection.userId}`,
    load: async () => {
      const { data, cursor } = await connection.api.presence.contacts.query({ userId });
      return { data: data.items, cursor };
    },
    apply: (known, event) => applyContact(known, event, userId),
    initial: initial && { data: initial.data.items, cursor: initial.cursor },
  });
  return derived(
    query,
    ({ data = [] }) => new Map(data.map((contact) => [contact.userId, contact])),
  );
}

/**
 * Contacts after an event of the user's topic; `only` one person, if given. Pure. Only the database
 * can send there, so the data of a name is taken to have its shape.
 */
export function applyContact(
  known: readonly Contact[],
  { event, data }: Pick<LiveEvent, 'event' | 'data'>,
  only?: string,
): readonly Contact[] {
  if (event !== 'contact.changed') return known;
  const contact = data as Contact;
  if (only !== undefined && only !== contact.userId) return known;
  return [...known.filter(({ userId }) => userId !== contact.userId), contact];
}
