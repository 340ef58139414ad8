/** Users as an administrator of the project changes them. */
import { randomUUID } from 'node:crypto';
import type { Sql, TransactionSql } from 'postgres';
import { AuthError } from './errors.ts';
import type { NewUser, UserChanges } from './inputs.ts';
import { type IdentityRow, toUserJson, type UserJson, type UserRow } from './user-json.ts';

/** Same work as the library's own hashes: 2^10 rounds. Postgres hashes them, in its process. */
const BCRYPT_COST = 10;

/** Makes a user with an identity. */
export async function createUser(sql: Sql, given: NewUser): Promise<UserJson> {
  const id = given.id ?? randomUUID();
  const provider = given.email !== undefined ? 'email' : 'phone';
  await sql.begin(async (tx) => {
    await tx`
      insert into auth.users (
        id, aud, role, email, phone, raw_app_meta_data, raw_user_meta_data,
        confirmation_token, recovery_token, email_change, email_change_token_new,
        email_change_token_current, phone_change, phone_change_token, reauthentication_token
      ) values (
        ${id}, 'authenticated', 'authenticated', ${given.email ?? null}, ${given.phone ?? null},
        ${tx.json({ provider, providers: [provider] })}, ${asJson(tx, given.user_metadata ?? {})},
        '', '', '', '', '', '', '', ''
      )`;
    await writeIdentity(tx, id, given);
    await writeChanges(tx, id, { ...given, user_metadata: undefined, email: undefined });
  });
  return getUser(sql, id);
}

/** Changes what is given; metadata are merged, and keys set to null removed. */
export async function updateUser(sql: Sql, id: string, changes: UserChanges): Promise<UserJson> {
  await sql.begin(async (tx) => {
    const found = await tx`select from auth.users where id = ${id} for update`;
    if (found.count === 0) throw userNotFound();
    await writeChanges(tx, id, changes);
    if (changes.email !== undefined) await writeIdentity(tx, id, changes);
    // Whoever knew the old password, and who is banned, is out.
    if (changes.password !== undefined || changes.ban_duration) await endSessions(tx, id);
  });
  return getUser(sql, id);
}

async function writeChanges(tx: TransactionSql, id: string, changes: UserChanges): Promise<void> {
  const { email, phone, role, app_metadata: app, user_metadata: user } = changes;
  const hash =
    changes.password === undefined
      ? tx`${changes.password_hash ?? null}::text`
      : tx`extensions.crypt(${changes.password}, extensions.gen_salt('bf', ${BCRYPT_COST}))`;
  const banned =
    changes.ban_duration === undefined || changes.ban_duration === null
      ? tx`null::timestamptz`
      : tx`now() + make_interval(secs => ${changes.ban_duration})`;
  const confirmed = changes.email_confirm ? { email_verified: true } : {};
  await tx`
    update auth.users
    set
      email = coalesce(${email ?? null}, email),
      phone = coalesce(${phone ?? null}, phone),
      role = coalesce(${role ?? null}, role),
      encrypted_password = coalesce(${hash}, encrypted_password),
      email_confirmed_at = case
        when ${changes.email_confirm ?? false} then coalesce(email_confirmed_at, now())
        else email_confirmed_at
      end,
      phone_confirmed_at = case
        when ${changes.phone_confirm ?? false} then coalesce(phone_confirmed_at, now())
        else phone_confirmed_at
      end,
      raw_app_meta_data = ${merged(tx, 'raw_app_meta_data', app ?? {})},
      raw_user_meta_data = ${merged(tx, 'raw_user_meta_data', { ...user, ...confirmed })},
      banned_until = case
        when ${changes.ban_duration === undefined} then banned_until
        else ${banned}
      end,
      updated_at = now()
    where id = ${id}`;
}

async function writeIdentity(
  tx: TransactionSql,
  userId: string,
  given: UserChanges,
): Promise<void> {
  const provider = given.email !== undefined ? 'email' : 'phone';
  const data = {
    sub: userId,
    ...(given.email === undefined ? { phone: given.phone } : { email: given.email }),
    email_verified: given.email !== undefined && given.email_confirm === true,
    phone_verified: given.phone_confirm === true,
  };
  await tx`
    insert into auth.identities (id, provider, provider_id, user_id, identity_data, last_sign_in_at)
    values (${randomUUID()}, ${provider}, ${userId}, ${userId}, ${asJson(tx, data)}, now())
    on conflict (provider, provider_id) do update
    set identity_data = identities.identity_data || excluded.identity_data, updated_at = now()`;
}

/** @throws AuthError user_not_found */
export async function getUser(sql: Sql, id: string): Promise<UserJson> {
  const [user] = await sql<UserRow[]>`select * from auth.users where id = ${id}`;
  if (user === undefined) throw userNotFound();
  const identities = await sql<IdentityRow[]>`
    select * from auth.identities where user_id = ${id} order by created_at`;
  return toUserJson(user, identities);
}

/** A page of users, the latest first. */
export async function listUsers(
  sql: Sql,
  { page, perPage }: { page: number; perPage: number },
): Promise<{ users: UserJson[]; total: number }> {
  const [[count], users] = await Promise.all([
    sql<{ total: number }[]>`select count(*)::integer as total from auth.users`,
    sql<UserRow[]>`
      select *
      from auth.users
      order by created_at desc, id
      limit ${perPage} offset ${(page - 1) * perPage}`,
  ]);
  const identities = await sql<IdentityRow[]>`
    select * from auth.identities where user_id = any(${users.map((user) => user.id)}::uuid[])`;
  const ofUser = Map.groupBy(identities, (identity) => identity.user_id);
  return {
    users: users.map((user) => toUserJson(user, ofUser.get(user.id) ?? [])),
    total: count?.total ?? 0,
  };
}

/** Removes the user, or only what tells who it was. Sessions end either way. */
export async function deleteUser(sql: Sql, id: string, isSoft: boolean): Promise<void> {
  if (!isSoft) {
    const deleted = await sql`delete from auth.users where id = ${id}`;
    if (deleted.count === 0) throw userNotFound();
    return;
  }
  await sql.begin(async (tx) => {
    const changed = await tx`
      update auth.users
      set
        email = encode(sha256(convert_to(coalesce(email, ''), 'UTF8')), 'hex'),
        phone = null,
        encrypted_password = '',
        raw_user_meta_data = '{}',
        raw_app_meta_data = '{}',
        deleted_at = now(),
        updated_at = now()
      where id = ${id}`;
    if (changed.count === 0) throw userNotFound();
    await tx`delete from auth.identities where user_id = ${id}`;
    await endSessions(tx, id);
  });
}

async function endSessions(tx: TransactionSql, userId: string): Promise<void> {
  await tx`delete from auth.refresh_tokens where user_id = ${userId}`;
  await tx`delete from auth.sessions where user_id = ${userId}`;
}

function userNotFound(): AuthError {
  return new AuthError(404, 'user_not_found', 'User not found');
}

/** The column's object with these keys set; those that are null are removed. */
function merged(tx: TransactionSql, column: string, changes: Record<string, unknown>) {
  const removed = Object.keys(changes).filter((key) => changes[key] === null);
  return tx`(coalesce(${tx(column)}, '{}') || ${asJson(tx, changes)}) - ${removed}::text[]`;
}

/** Any JSON that a client sent. */
function asJson(tx: TransactionSql, value: Record<string, unknown>) {
  return tx.json(value as Parameters<typeof tx.json>[0]);
}
