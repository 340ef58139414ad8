import { createHmac } from 'node:crypto';

/** Signs the tokens of the benchmarks. */
export const JWT_SECRET = 'a secret for benchmarks only, of 32 characters or more';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

const sign = (text: string) => createHmac('sha256', JWT_SECRET).update(text).digest('base64url');

/** An access token as Auth would sign it, valid for an hour. */
export function tokenOf(userId: string): string {
  const now = Math.floor(Date.now() / 1000);
  const head = encode({ alg: 'HS256', typ: 'JWT' });
  const claims = encode({
    sub: userId,
    email: `${userId}@homeroom.test`,
    role: 'authenticated',
    aud: 'authenticated',
    iat: now,
    exp: now + 3600,
  });
  return `${head}.${claims}.${sign(`${head}.${claims}`)}`;
}

/** Whose token it is: the least that a bare endpoint has to check. */
export function userOf(token: string): string {
  const [head, claims, signature] = token.split('.');
  if (sign(`${head}.${claims}`) !== signature) throw new Error('The signature is wrong');
  const { sub, exp } = JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()) as {
    sub: string;
    exp: number;
  };
  if (exp * 1000 < Date.now()) throw new Error('The token is too old');
  return sub;
}
