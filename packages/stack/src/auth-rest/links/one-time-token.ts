import { createHash, randomInt } from 'node:crypto';

/** A code to type, and the hash of it that is kept, and that stands in links. */
export type OneTimeToken = { code: string; hash: string };

/** A new one for an address, as Auth makes them: six digits, hashed together with the address. */
export function oneTimeToken(email: string): OneTimeToken {
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  return {
    code,
    hash: createHash('sha256')
      .update(email.toLowerCase() + code)
      .digest('hex'),
  };
}
