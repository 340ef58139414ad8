import { combineChunks } from '@supabase/ssr';
import * as z from 'zod';

/** What of a stored session is read here. */
const storedSchema = z.object({ access_token: z.string(), expires_at: z.number() });

/** How @supabase/ssr marks what it has encoded. */
const ENCODED = 'base64-';

/** As long before its end as Auth's client would get a new token (its `EXPIRY_MARGIN_MS`). */
const REFRESH_MARGIN_MS = 90_000;

/**
 * What a portal's cookies hold: no session; a token that is good for a while; or something else,
 * which Auth's client has to look at (a session to be refreshed, or one stored in another way).
 * The client takes 0.4 ms to make and to ask, a tenth of a page, and is needed once an hour.
 */
export type StoredSession = { kind: 'none' } | { kind: 'fresh'; token: string } | { kind: 'other' };

/** Reads the session that @supabase/ssr keeps in cookies. The token isn't verified. */
export async function readSessionCookie(
  name: string,
  cookie: (name: string) => string | undefined,
  now: number,
): Promise<StoredSession> {
  const stored = await combineChunks(name, cookie);
  if (!stored) return { kind: 'none' };
  const session = storedSchema.safeParse(decode(stored));
  if (!session.success) return { kind: 'other' };
  const { access_token: token, expires_at: expiresAt } = session.data;
  const isFresh = expiresAt * 1000 - now > REFRESH_MARGIN_MS;
  return isFresh ? { kind: 'fresh', token } : { kind: 'other' };
}

/** The JSON that is stored; undefined when it is none. */
function decode(stored: string): unknown {
  if (!stored.startsWith(ENCODED)) return undefined;
  const json = Buffer.from(stored.slice(ENCODED.length), 'base64url').toString();
  try {
    return JSON.parse(json) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
