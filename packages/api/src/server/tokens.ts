import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { LRUCache } from 'lru-cache';
import * as z from 'zod';
import { ApiError } from './errors.ts';

/** Clocks of two machines are rarely further apart; more would lengthen a token's life. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** Signatures of the same token aren't checked again; this many tokens are remembered. */
const REMEMBERED_TOKENS_MAX = 5_000;

/** The claims that we use of an access token; the role of a person comes from the database. */
const claimsSchema = z.object({
  sub: z.guid(),
  // Keys of services (`anon`, `service_role`) are signed with the same secret: they are no person.
  role: z.literal('authenticated'),
  email: z.string().default(''),
  exp: z.int(),
  session_id: z.string().max(100).optional(),
});

/** What an access token says about its bearer. `expiresAt` is in milliseconds since 1970. */
export type TokenClaims = {
  userId: string;
  email: string;
  expiresAt: number;
  /** Auth's own name for the sign-in that the token comes from. */
  sessionId?: string | undefined;
};

/** Verifies an access token. @throws ApiError SESSION_EXPIRED or SESSION_INVALID */
export type TokenVerifier = (token: string) => Promise<TokenClaims>;

/** Verifies tokens here, without a call to Auth: by the shared secret, else by the JWKS. */
export function createTokenVerifier(options: {
  supabaseUrl: string;
  jwtSecret?: string | undefined;
  now?: () => number;
}): TokenVerifier {
  const now = options.now ?? Date.now;
  const verifySignature = signatureVerifier(options.supabaseUrl, options.jwtSecret, now);
  const remembered = new LRUCache<string, TokenClaims>({ max: REMEMBERED_TOKENS_MAX });

  return async (token) => {
    const known = remembered.get(token);
    if (known && now() < known.expiresAt) return known;
    remembered.delete(token);
    const claims = toClaims(await verifySignature(token));
    remembered.set(token, claims);
    return claims;
  };
}

function signatureVerifier(
  supabaseUrl: string,
  jwtSecret: string | undefined,
  now: () => number,
): (token: string) => Promise<JWTPayload> {
  const options = () => ({
    currentDate: new Date(now()),
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ['sub', 'exp'],
  });
  // Each kind of key takes its own algorithms only: a public key must never pass as a secret.
  if (jwtSecret) {
    const secret = new TextEncoder().encode(jwtSecret);
    return (token) => checked(jwtVerify(token, secret, { ...options(), algorithms: ['HS256'] }));
  }
  const keys = createRemoteJWKSet(new URL(`${supabaseUrl}/auth/v1/.well-known/jwks.json`));
  return (token) =>
    checked(jwtVerify(token, keys, { ...options(), algorithms: ['ES256', 'RS256', 'EdDSA'] }));
}

async function checked(verifying: Promise<{ payload: JWTPayload }>): Promise<JWTPayload> {
  try {
    return (await verifying).payload;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) throw new ApiError('SESSION_EXPIRED', { cause });
    if (cause instanceof errors.JWKSTimeout || !(cause instanceof errors.JOSEError)) {
      // The keys couldn't be fetched: that says nothing about the token.
      throw new ApiError('UNAVAILABLE', { cause });
    }
    throw new ApiError('SESSION_INVALID', { cause });
  }
}

function toClaims(payload: JWTPayload): TokenClaims {
  const parsed = claimsSchema.safeParse(payload);
  if (!parsed.success) throw new ApiError('SESSION_INVALID', { cause: parsed.error });
  const { sub, email, exp, session_id: sessionId } = parsed.data;
  return { userId: sub, email, expiresAt: exp * 1000, ...(sessionId && { sessionId }) };
}
