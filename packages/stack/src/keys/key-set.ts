/** Public keys of tokens that others sign: given as they are, or by the address where they are. */
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from 'jose';

/** A JSON Web Key Set, or its URL (`https://…/auth/v1/.well-known/jwks.json`). */
export type KeySet = JSONWebKeySet | string;

/** Finds a token's key by its `kid`. A set behind a URL is fetched when it is needed, and kept. */
export function keyFinder(keySet: KeySet): JWTVerifyGetKey {
  return typeof keySet === 'string'
    ? createRemoteJWKSet(new URL(keySet))
    : createLocalJWKSet(keySet);
}
