import { calculateJwkThumbprint, importJWK, type CryptoKey, type JWK } from 'jose';
import * as z from 'zod';

/** What every verifier of Open Badges has to know. */
export const SIGNING_ALGORITHM = 'RS256';

const keySchema = z.object({
  kty: z.literal('RSA'),
  n: z.base64url(),
  e: z.base64url(),
  d: z.base64url().optional(),
  p: z.base64url().optional(),
  q: z.base64url().optional(),
  dp: z.base64url().optional(),
  dq: z.base64url().optional(),
  qi: z.base64url().optional(),
});

/** RSA keys as a JSON Web Key Set. The first one signs; the others verify what was signed earlier. */
export const keySetSchema = z.object({
  keys: z
    .array(keySchema)
    .min(1)
    .refine(([first]) => first?.d !== undefined, 'The first key has to be a private one'),
});

/** RSA keys as a JSON Web Key Set, private where it signs. */
export type KeySet = z.infer<typeof keySetSchema>;

/** The keys that credentials are signed with, and those that they were signed with. */
export type SigningKeys = {
  /** Signs, with the id of the key to verify it by. */
  signing: { id: string; key: CryptoKey };
  /** The public half of every key, by its id (its thumbprint, RFC 7638). */
  published: Map<string, JWK>;
};

/** Makes a key set ready to sign. */
export async function openKeys({ keys }: KeySet): Promise<SigningKeys> {
  const published = new Map<string, JWK>();
  for (const { kty, n, e } of keys) {
    const jwk = { kty, n, e };
    published.set(await calculateJwkThumbprint(jwk), jwk);
  }
  const [first] = keys;
  const [id] = published.keys();
  if (first === undefined || id === undefined) throw new Error('A key set without a key');
  const key = await importJWK({ ...first }, SIGNING_ALGORITHM);
  if (key instanceof Uint8Array) throw new Error('An RSA key is never one of bytes');
  return { signing: { id, key }, published };
}
