import { createServerClient } from '@supabase/ssr';
import { expect, it } from 'vitest';
import { readSessionCookie } from './session-cookie.ts';

const NAME = 'homeroom-student';
const NOW = Date.UTC(2026, 0, 1);
const token = `${'x'.repeat(5000)}.ünïcode`;

/** The cookies that @supabase/ssr itself writes for a session that ends so many seconds from now. */
async function cookiesOf(secondsLeft: number): Promise<Map<string, string>> {
  const expires_at = Math.round(Date.now() / 1000) + 3600;
  const written = new Map<string, string>();
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const user = { id: 'u', email: 'a@b.test' };
  const auth = createServerClient('http://auth.test', 'key', {
    cookieOptions: { name: NAME },
    cookies: {
      getAll: () => [],
      setAll: (all) => {
        for (const { name, value } of all) written.set(name, value);
      },
    },
    global: {
      fetch: () =>
        Promise.resolve(
          Response.json({
            access_token: `${encode({ alg: 'none' })}.${encode({ exp: expires_at, sub: token })}.x`,
            refresh_token: 'r',
            token_type: 'bearer',
            expires_in: 3600,
            expires_at: NOW / 1000 + secondsLeft,
            user,
          }),
        ),
    },
  }).auth;
  const { error } = await auth.signInWithPassword({ email: 'a@b.test', password: 'x' });
  expect(error).toBeNull();
  return written;
}

const read = (cookies: Map<string, string>) =>
  readSessionCookie(NAME, (name) => cookies.get(name), NOW);

it('reads what @supabase/ssr writes, in as many cookies as it takes', async () => {
  const cookies = await cookiesOf(3600);
  expect(cookies.size).toBeGreaterThan(1);
  const stored = await read(cookies);
  if (stored.kind !== 'fresh') throw new Error(stored.kind);
  expect(Buffer.from(stored.token.split('.')[1] ?? '', 'base64url').toString()).toContain(token);
});

it('leaves to Auth what ends soon, and what it can’t read', async () => {
  expect(await read(await cookiesOf(89))).toEqual({ kind: 'other' });
  for (const value of ['base64-', 'base64-bm90IGpzb24', '{"access_token":"x"}', 'base64-e30']) {
    expect(await read(new Map([[NAME, value]])), value).toEqual({ kind: 'other' });
  }
  expect(await read(new Map())).toEqual({ kind: 'none' });
});
