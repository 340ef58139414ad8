/** Who a token speaks for. */
import { compactVerify, decodeProtectedHeader, errors, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { keyFinder, type KeySet } from '../../keys/key-set.ts';
import { isRecord, parseJson } from '../codec/client-message.ts';
import { expiredMessage, TokenError } from './errors.ts';

/** The claims of a verified token. One object per distinct token: it may be compared by identity. */
export type Claims = {
  readonly role: string;
  /** Seconds since the epoch; `Infinity` for the publishable and the secret key. */
  readonly exp: number;
  readonly sub: string | null;
  /** All claims as JSON text, as Postgres gets them in `request.jwt.claims`. */
  readonly json: string;
};

type Keys = {
  jwtSecret: string;
  jwks?: KeySet | undefined;
  publishableKey: string;
  secretKey: string;
};

/** How the shared secret may sign. */
const HMAC = { algorithms: ['HS256', 'HS384', 'HS512'] };
/** Verified tokens kept, so that a reconnecting crowd costs no signatures twice. */
const CACHE_SIZE = 20_000;

/** Verifies API keys and access tokens. */
export class TokenVerifier {
  readonly #keys: Keys;
  readonly #secret: Uint8Array;
  readonly #findKey: JWTVerifyGetKey | null;
  readonly #apiKeys: Map<string, Claims>;
  readonly #cache = new LRUCache<string, Claims>({ max: CACHE_SIZE });
  readonly #now: () => number;

  constructor(keys: Keys, now: () => number = () => Date.now()) {
    this.#keys = keys;
    this.#now = now;
    this.#secret = new TextEncoder().encode(keys.jwtSecret);
    this.#findKey = keys.jwks === undefined ? null : keyFinder(keys.jwks);
    this.#apiKeys = new Map([
      [keys.publishableKey, apiKeyClaims('anon')],
      [keys.secretKey, apiKeyClaims('service_role')],
    ]);
  }

  /** The claims of an API key or token, or a {@link TokenError}. */
  async verify(given: string): Promise<Claims> {
    const token = given.replace(/\s/g, '');
    const known = this.#apiKeys.get(token) ?? this.#cache.get(token);
    if (known !== undefined) {
      this.#refuseExpired(known);
      return known;
    }
    const claims = readClaims(await this.#payload(token));
    this.#refuseExpired(claims);
    this.#cache.set(token, claims);
    return claims;
  }

  #refuseExpired(claims: Claims): void {
    if (claims.exp * 1000 <= this.#now()) {
      throw new TokenError('InvalidJWTToken', expiredMessage(claims.exp, this.#now()));
    }
  }

  /** What a signed token says. As at upstream, of its times only `exp` is looked at, by the caller. */
  async #payload(token: string): Promise<Record<string, unknown>> {
    let kid: string | undefined;
    try {
      const header = decodeProtectedHeader(token);
      kid = header.kid;
      if (header.alg?.startsWith('HS') === true) {
        return record((await compactVerify(token, this.#secret, HMAC)).payload);
      }
      if (header.alg === undefined) throw malformed();
      if (this.#findKey === null) throw noSigner(kid);
      return record((await compactVerify(token, this.#findKey)).payload);
    } catch (error) {
      throw tokenError(error, kid);
    }
  }

  /** Whether this is an API key of the new kind, which stands for the socket's own key in a join. */
  isApiKey(token: string): boolean {
    return token.startsWith('sb_') || this.#keys.publishableKey === token;
  }
}

function apiKeyClaims(role: string): Claims {
  return { role, exp: Infinity, sub: null, json: JSON.stringify({ role }) };
}

function readClaims(payload: Record<string, unknown>): Claims {
  const { role, exp, sub } = payload;
  if (typeof role !== 'string' || typeof exp !== 'number') {
    throw new TokenError('InvalidJWTToken', 'Fields `role` and `exp` are required in JWT');
  }
  if (exp <= 0) throw new TokenError('InvalidJWTToken', 'Token expiration time is invalid');
  return {
    role,
    exp,
    sub: typeof sub === 'string' ? sub : null,
    json: JSON.stringify(payload),
  };
}

function record(payload: Uint8Array): Record<string, unknown> {
  const value = parseJson(Buffer.from(payload).toString('utf8'));
  if (!isRecord(value)) throw malformed();
  return value;
}

function malformed(): TokenError {
  return new TokenError('MalformedJWT', 'The token provided is not a valid JWT');
}

/** Upstream's words for a token whose key isn't known. */
function noSigner(kid: string | undefined): TokenError {
  const key = kid === undefined ? '' : ` for key ID (kid) ${JSON.stringify(kid)}`;
  return new TokenError(
    'JwtSignerError',
    `Failed to generate JWT signer${key}, check your JWT secret or JWKS configuration`,
  );
}

/** The set has no such key, or can't be fetched. */
function isKeyMissing(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSTimeout ||
    (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC') ||
    (error instanceof TypeError && error.message === 'fetch failed')
  );
}

function tokenError(error: unknown, kid: string | undefined): TokenError {
  if (error instanceof TokenError) return error;
  if (isKeyMissing(error)) return noSigner(kid);
  const isSignature =
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JOSEAlgNotAllowed;
  return isSignature
    ? new TokenError('JwtSignatureError', 'Failed to validate JWT signature')
    : malformed();
}
