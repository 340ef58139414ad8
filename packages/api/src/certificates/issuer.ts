import { SignJWT, type JWK } from 'jose';
import { ApiError } from '../server/errors.ts';
import type { Settings } from '../server/settings.ts';
import type { VerifiedCertificate } from './contract.ts';
import { addressesOf, issuerProfile, openBadge, revocationList } from './open-badge.ts';
import { openKeys, SIGNING_ALGORITHM } from './signing-keys.ts';

/** Signs certificates as Open Badges, and publishes what it takes to verify them. */
export type Issuer = {
  /** The credential as a compact JWS (VC-JWT). */
  sign(certificate: VerifiedCertificate): Promise<string>;
  /** Whether a credential still holds, as its own `credentialStatus` asks. */
  status(certificate: VerifiedCertificate): ReturnType<typeof revocationList>;
  profile(): ReturnType<typeof issuerProfile>;
  /** The public keys as a JSON Web Key Set; the `kid` of each is its own address. */
  keySet(): Promise<{ keys: JWK[] }>;
  /** One public key by its id; undefined when it is none of ours. */
  key(id: string): Promise<JWK | undefined>;
};

/**
 * The issuer of the settings. Its origin is a setting too, and never a request's: whoever could choose
 * it would have credentials signed that lead to keys of their own.
 */
export function createIssuer({ credentialKeys, studentUrl }: Settings): Issuer | null {
  if (credentialKeys === undefined || studentUrl === undefined) return null;
  const address = addressesOf(studentUrl);
  const keys = openKeys(credentialKeys);
  // Whoever asks for a signature hears of it.
  keys.catch(() => undefined);
  return {
    async sign(certificate) {
      const { signing } = await keys;
      const credential = openBadge(certificate, studentUrl);
      return new SignJWT(credential)
        .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: address.key(signing.id), typ: 'JWT' })
        .setIssuer(credential.issuer.id)
        .setJti(credential.id)
        .setNotBefore(new Date(credential.validFrom))
        .sign(signing.key);
    },
    status: (certificate) => revocationList(certificate, studentUrl),
    profile: () => issuerProfile(studentUrl),
    async keySet() {
      const { published } = await keys;
      const use = { use: 'sig', alg: SIGNING_ALGORITHM };
      return {
        keys: [...published].map(([id, jwk]) => ({ ...jwk, ...use, kid: address.key(id) })),
      };
    },
    key: async (id) => (await keys).published.get(id),
  };
}

/** The issuer, or the error that says what is missing. */
export function issuerOf(issuer: Issuer | null): Issuer {
  if (issuer === null) throw new ApiError('BADGES_NOT_SET_UP');
  return issuer;
}
