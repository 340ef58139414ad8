import { sql } from 'drizzle-orm';
import type { UserTransaction } from '../server/database.ts';
import { onlyRow } from '../server/fragments.ts';
import type { Delivery, SetDelivery } from './contract.ts';

type OwnSettings = Omit<Delivery, 'sendsMail'>;

/** When the user is told. */
export async function readDelivery(tx: UserTransaction): Promise<OwnSettings> {
  const rows = await tx.execute<{ settings: OwnSettings }>(sql`
    select private.own_notification_settings() as "settings"`);
  return onlyRow(rows).settings;
}

/** Changes when the user is told, and gives all of it. */
export async function writeDelivery(
  tx: UserTransaction,
  userId: string,
  { quietHours, digest }: SetDelivery,
): Promise<OwnSettings> {
  if (quietHours) {
    const { isOn, from, to, days } = quietHours;
    await tx.execute(sql`
      insert into public.notification_settings (
        user_id, has_quiet_hours, quiet_from, quiet_to, quiet_days
      )
      values (
        ${userId}::uuid, ${isOn}, ${from}::time, ${to}::time, ${`{${days.join(',')}}`}::smallint[]
      )
      on conflict (user_id) do update
      set
        has_quiet_hours = excluded.has_quiet_hours,
        quiet_from = excluded.quiet_from,
        quiet_to = excluded.quiet_to,
        quiet_days = excluded.quiet_days`);
  }
  if (digest) {
    const { frequency, weekday, hour } = digest;
    await tx.execute(sql`
      insert into public.notification_settings (user_id, digest, digest_weekday, digest_hour)
      values (${userId}::uuid, ${frequency}, ${weekday}::smallint, ${hour}::smallint)
      on conflict (user_id) do update
      set
        digest = excluded.digest,
        digest_weekday = excluded.digest_weekday,
        digest_hour = excluded.digest_hour`);
  }
  return readDelivery(tx);
}

/** Turns off the digest whose key this is; false where it is nobody's. */
export async function stopDigest(tx: UserTransaction, key: string): Promise<{ stopped: boolean }> {
  const rows = await tx.execute<{ stopped: boolean }>(sql`
    select public.stop_digest(${key}::uuid) as "stopped"`);
  return onlyRow(rows);
}
