import { createHash, randomBytes } from 'node:crypto';
import type { Database } from '@homeroom/db';
import { sql } from 'drizzle-orm';
import { ApiError } from '../server/errors.ts';
import { onceMoreIfLost } from '../server/lost-connection.ts';
import { scopeSchema } from './keys-contract.ts';
import type { ServiceScope } from './kinds-contract.ts';

/** With what a service key begins; no access token does. */
const BEGINNING = 'hr_';
/** As many as nobody guesses. */
const RANDOM_BYTES = 32;
/** How much of a key is shown to tell it from others. */
const PREFIX_LENGTH = BEGINNING.length + 6;

const KEY = /^hr_[\w-]{43}$/;

/** A service that calls, from its key. */
export type Service = {
  /** Of the key. */
  id: string;
  name: string;
  scopes: readonly ServiceScope[];
  callsPerMinute: number;
};

/** A new key, with what the database is told of it. */
export function makeServiceKey(): { key: string; prefix: string; hash: string } {
  const key = BEGINNING + randomBytes(RANDOM_BYTES).toString('base64url');
  return { key, prefix: key.slice(0, PREFIX_LENGTH), hash: hashOf(key) };
}

/** Whether a bearer token is meant to be a service key. */
export function isServiceKey(token: string): boolean {
  return token.startsWith(BEGINNING);
}

function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/**
 * Makes services from keys. Asks the database each time, so that a revoked key ends at once.
 * @throws ApiError SERVICE_KEY_INVALID, SERVICE_KEY_EXPIRED or SERVICE_KEY_REVOKED
 */
export function createServiceKeys(database: Database): (key: string) => Promise<Service> {
  return async (key) => {
    if (!KEY.test(key)) throw new ApiError('SERVICE_KEY_INVALID');
    const found = await onceMoreIfLost(() => readKey(database, hashOf(key)));
    if (!found) throw new ApiError('SERVICE_KEY_INVALID');
    if (found.revoked) throw new ApiError('SERVICE_KEY_REVOKED');
    if (found.expired) throw new ApiError('SERVICE_KEY_EXPIRED');
    const { id, name, callsPerMinute } = found;
    return { id, name, callsPerMinute, scopes: scopeSchema.array().parse(found.scopes) };
  };
}

type FoundKey = {
  id: string;
  name: string;
  scopes: string[];
  callsPerMinute: number;
  expired: boolean;
  revoked: boolean;
};

async function readKey(database: Database, hash: string): Promise<FoundKey | undefined> {
  const [found] = await database.execute<FoundKey>(sql`
    select id, name, scopes, calls_per_minute as "callsPerMinute", expired, revoked
    from private.use_service_key(${hash})`);
  return found;
}
