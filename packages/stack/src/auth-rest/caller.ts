/** Who a request speaks for: its API key, and beside it the access token of a user. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import { keyFinder, type KeySet } from '../keys/key-set.ts';

/** What requests are measured by. */
export type CallerKeys = {
  jwtSecret: string;
  publishableKey: string;
  secretKey: string;
  /** Public keys of tokens that aren't signed with the secret. */
  jwks?: KeySet | undefined;
};

/** Claims as policies read them; `role` is the database's role. */
export type Caller = { claims: Record<string, unknown>; role: string };

/** Why a request speaks for nobody. */
export type Refusal =
  'no-api-key' | 'invalid-api-key' | 'secret-key-in-browser' | 'expired-token' | 'invalid-token';

/**
 * The caller of a request, as hosted's gateway and PostgREST tell it: an API key must come in the
 * header `apikey` or the query; a token speaks for its bearer, also beside the secret key; without
 * one, the key stands for `anon` or `service_role`.
 */
export async function callerOf(request: Request, keys: CallerKeys): Promise<Caller | Refusal> {
  const apiKey = request.headers.get('apikey') ?? new URL(request.url).searchParams.get('apikey');
  if (apiKey === null || apiKey === '') return 'no-api-key';
  const isSecret = isSame(apiKey, keys.secretKey);
  if (!isSecret && !isSame(apiKey, keys.publishableKey)) return 'invalid-api-key';
  if (isSecret && /^mozilla\//i.test(request.headers.get('user-agent') ?? '')) {
    return 'secret-key-in-browser';
  }
  const bearer = /^Bearer\s+(.+)$/i.exec(request.headers.get('authorization') ?? '')?.[1];
  if (bearer === undefined || bearer.startsWith('sb_')) {
    const role = isSecret ? 'service_role' : 'anon';
    return { role, claims: { role } };
  }
  return bearerOf(bearer, keys);
}

async function bearerOf(token: string, keys: CallerKeys): Promise<Caller | Refusal> {
  try {
    const payload = await verified(token, keys);
    const role = typeof payload['role'] === 'string' ? payload['role'] : 'anon';
    return { role, claims: { ...payload, role } };
  } catch (error) {
    return error instanceof errors.JWTExpired ? 'expired-token' : 'invalid-token';
  }
}

async function verified(token: string, { jwtSecret, jwks }: CallerKeys): Promise<JWTPayload> {
  if (jwks !== undefined && decodeProtectedHeader(token).alg !== 'HS256') {
    return (await jwtVerify(token, finderOf(jwks))).payload;
  }
  const secret = new TextEncoder().encode(jwtSecret);
  return (await jwtVerify(token, secret, { algorithms: ['HS256'] })).payload;
}

/** One per set: keys that were fetched stay. */
const finders = new Map<KeySet, ReturnType<typeof keyFinder>>();

function finderOf(jwks: KeySet): ReturnType<typeof keyFinder> {
  const finder = finders.get(jwks) ?? keyFinder(jwks);
  finders.set(jwks, finder);
  return finder;
}

/** Takes as long for a key that begins right as for any other. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

const REFUSALS: Record<Refusal, { status: number; body: Record<string, string | null> }> = {
  'no-api-key': {
    status: 401,
    body: {
      message: 'No API key found in request',
      hint: 'No `apikey` request header or url param was found.',
    },
  },
  'invalid-api-key': {
    status: 401,
    body: { message: 'Invalid API key', hint: 'Double check your Supabase API key.' },
  },
  'secret-key-in-browser': {
    status: 401,
    body: {
      message: 'Forbidden use of secret API key in browser',
      hint: 'Secret API keys can only be used in a protected environment and should never be used in a browser. Delete this secret API key immediately.',
    },
  },
  'expired-token': {
    status: 401,
    body: { code: 'PGRST303', message: 'JWT expired', details: null, hint: null },
  },
  'invalid-token': {
    status: 401,
    body: {
      code: 'PGRST301',
      message: 'No suitable key or wrong key type',
      details: null,
      hint: null,
    },
  },
};

/** The answer to a request that speaks for nobody. */
export function refuse(refusal: Refusal): Response {
  const { status, body } = REFUSALS[refusal];
  return Response.json(body, { status });
}
