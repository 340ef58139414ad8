import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, isoTime, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type {
  createKeyInput,
  createKeyOutput,
  KeyLogEntry,
  keyLogInput,
  keyLogOutput,
  listKeysInput,
  listKeysOutput,
  ServiceKey,
} from './keys-contract.ts';
import { makeServiceKey } from './service-keys.ts';

/** A person's name, or null for nobody. */
const nameOf = (id: ReturnType<typeof sql>) => sql`(
  select private.display_name(first_name, last_name) from public.users where users.id = ${id}
)`;

/** The keys, the newest first. Administrators see them, by policy. */
export async function listKeys(
  tx: UserTransaction,
  { cursor, limit }: z.output<typeof listKeysInput>,
): Promise<z.output<typeof listKeysOutput>> {
  const rows = await tx.execute<ServiceKey>(sql`
    select
      key.id,
      key.name,
      key.prefix,
      key.scopes,
      key.calls_per_minute as "callsPerMinute",
      ${nameOf(sql`key.created_by`)} as "createdBy",
      ${isoTime(sql`key.created_at`)} as "createdAt",
      ${isoTime(sql`key.expires_at`)} as "expiresAt",
      ${isoTime(sql`key.revoked_at`)} as "revokedAt",
      ${isoTime(sql`key.last_used_at`)} as "lastUsedAt"
    from private.service_keys as key
    where ${isAfter(cursor, sql`key.created_at`, sql`key.id`)}
    order by key.created_at desc, key.id desc
    limit ${rowCount(limit + 1)}`);
  return toPage(rows, limit, ({ createdAt, id }) => ({ createdAt, id }));
}

/** Makes a key, and gives it: the database knows only its hash. */
export async function createKey(
  tx: UserTransaction,
  { name, scopes, callsPerMinute, expiresInDays }: z.output<typeof createKeyInput>,
): Promise<z.output<typeof createKeyOutput>> {
  const { key, prefix, hash } = makeServiceKey();
  const { id } = onlyRow(
    await tx.execute<{ id: string }>(sql`
      select private.create_service_key(
        ${name}, ${prefix}, ${hash}, ${sql.param([...new Set(scopes)])}::text[], ${callsPerMinute}::integer,
        now() + ${expiresInDays}::integer * interval '1 day'
      ) as "id"`),
  );
  return { id, key };
}

/** Ends a key. @throws ApiError SERVICE_KEY_NOT_FOUND, also when it was revoked before */
export async function revokeKey(tx: UserTransaction, id: string): Promise<void> {
  const { done } = onlyRow(
    await tx.execute<{ done: boolean }>(
      sql`select private.revoke_service_key(${id}::uuid) as "done"`,
    ),
  );
  if (!done) throw new ApiError('SERVICE_KEY_NOT_FOUND');
}

/** The log, the newest first. */
export async function keyLog(
  tx: UserTransaction,
  { keyId, before, limit }: z.output<typeof keyLogInput>,
): Promise<z.output<typeof keyLogOutput>> {
  const rows = await tx.execute<KeyLogEntry>(sql`
    select
      entry.id::float8 as "id",
      entry.key_id as "keyId",
      key.name as "keyName",
      entry.action,
      entry.outcome,
      ${nameOf(sql`entry.actor_id`)} as "actor",
      entry.subject_id as "subjectId",
      entry.request_id as "requestId",
      ${isoTime(sql`entry.created_at`)} as "createdAt"
    from private.service_key_log as entry
    join private.service_keys as key on key.id = entry.key_id
    where ${keyId === undefined ? sql`true` : sql`entry.key_id = ${keyId}::uuid`}
      and ${before === undefined ? sql`true` : sql`entry.id < ${before}::bigint`}
    order by entry.id desc
    limit ${rowCount(limit + 1)}`);
  const items = rows.slice(0, limit);
  return { items, nextBefore: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
