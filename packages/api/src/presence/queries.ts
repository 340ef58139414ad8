import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { onlyRow } from '../server/fragments.ts';
import type {
  Contact,
  keepInput,
  Presence,
  presenceSettingsSchema,
  typingInput,
} from './contract.ts';

/** Who is at a place. The database checks the right and raises TOPIC_FORBIDDEN. */
export async function readPresence(tx: UserTransaction, place: string): Promise<Live<Presence>> {
  const { data, seq } = onlyRow(
    await tx.execute<{ data: Presence; seq: number }>(sql`
      select private.presence_of(${place}) as "data", ${liveHead(place)} as "seq"`),
  );
  return { data, cursor: { topic: place, seq } };
}

/** Whether those whom the user writes with, or one person, have a portal open. */
export async function readContacts(
  tx: UserTransaction,
  userId: string,
  one: string | undefined,
): Promise<Live<{ items: Contact[] }>> {
  const topic = userTopic(userId);
  const { items, seq } = onlyRow(
    await tx.execute<{ items: Contact[]; seq: number }>(sql`
      select private.contacts_of(${one ?? null}::uuid) as "items", ${liveHead(topic)} as "seq"`),
  );
  return { data: { items }, cursor: { topic, seq } };
}

/** The user is at a place, or anywhere in a portal, for the next 45 seconds. */
export async function keepPresence(
  tx: UserTransaction,
  userId: string,
  { place, status }: z.output<typeof keepInput>,
): Promise<void> {
  const topic = place === 'portal' ? userTopic(userId) : place;
  await tx.execute(sql`select private.keep_presence(${topic}, ${status})`);
}

/** Tells those who would read it that the user is writing. */
export async function tellTyping(
  tx: UserTransaction,
  where: z.output<typeof typingInput>,
): Promise<void> {
  const place = 'threadId' in where ? `thread:${where.threadId}` : `user:${where.userId}`;
  await tx.execute(sql`select private.tell_typing(${place})`);
}

type PresenceSettings = z.infer<typeof presenceSettingsSchema>;

/** Whether the user wants not to be seen. */
export async function readSettings(tx: UserTransaction): Promise<PresenceSettings> {
  const [row] = await tx.execute<PresenceSettings>(sql`
    select is_invisible as "isInvisible" from public.presence_settings`);
  return row ?? { isInvisible: false };
}

/** Sets whether the user wants not to be seen. */
export async function writeSettings(
  tx: UserTransaction,
  userId: string,
  { isInvisible }: PresenceSettings,
): Promise<PresenceSettings> {
  await tx.execute(sql`
    insert into public.presence_settings (user_id, is_invisible)
    values (${userId}::uuid, ${isInvisible})
    on conflict (user_id) do update set is_invisible = excluded.is_invisible`);
  return { isInvisible };
}
