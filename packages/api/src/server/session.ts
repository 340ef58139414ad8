import type { Database } from '@homeroom/db';
import { sql } from 'drizzle-orm';
import type { Role } from '../identity/contract.ts';
import { ApiError } from './errors.ts';
import { onceMoreIfLost } from './lost-connection.ts';
import type { TokenVerifier } from './tokens.ts';

/**
 * Who is calling, from a verified access token. `role` is the database's word (`users.role`), not
 * the token's. `expiresAt` is when the token ends, in milliseconds since 1970.
 */
export type Session = {
  userId: string;
  role: Role;
  email: string;
  token: string;
  expiresAt: number;
  /** Which sign-in it is, where the token names it. */
  sessionId?: string | undefined;
};

/**
 * How long a role is believed. It guards no data, row level security does: it decides which
 * message or portal one gets, and may lag this much behind.
 */
const ROLE_BELIEVED_MS = 30_000;
/** How many users' roles are kept at once. */
const KNOWN_USERS_MAX = 10_000;

type KnownUser = { role: Role; isActive: boolean; until: number };

/**
 * Makes sessions from access tokens.
 * @throws ApiError SESSION_EXPIRED, SESSION_INVALID or ACCOUNT_DISABLED
 */
export function createSessions(
  verify: TokenVerifier,
  database: Database,
  now: () => number = Date.now,
): (token: string) => Promise<Session> {
  const known = new Map<string, KnownUser>();

  async function lookUp(userId: string): Promise<KnownUser> {
    const user = known.get(userId);
    if (user && now() < user.until) return user;
    known.delete(userId);
    const found = await onceMoreIfLost(() => readUser(database, userId));
    // A token outlives its user by up to an hour.
    if (!found) throw new ApiError('SESSION_INVALID');
    if (known.size >= KNOWN_USERS_MAX) known.clear();
    const fresh = { ...found, until: now() + ROLE_BELIEVED_MS };
    known.set(userId, fresh);
    return fresh;
  }

  return async (token) => {
    const { userId, email, expiresAt, sessionId } = await verify(token);
    const { role, isActive } = await lookUp(userId);
    if (!isActive) throw new ApiError('ACCOUNT_DISABLED');
    return { userId, role, email, token, expiresAt, ...(sessionId && { sessionId }) };
  };
}

async function readUser(
  database: Database,
  userId: string,
): Promise<{ role: Role; isActive: boolean } | undefined> {
  const [user] = await database.execute<{ role: Role; isActive: boolean }>(sql`
    select role, is_active as "isActive"
    from public.users
    where id = ${userId}`);
  return user;
}
