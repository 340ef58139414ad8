import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { describe, expect, it } from 'vitest';
import { createTokenVerifier } from './tokens.ts';

const SECRET = 'a secret of at least thirty-two characters';
const USER = '5f0f6c39-3f4b-4f0e-9a57-7b3c9d8f1a11';

type Signing = { key?: Uint8Array | CryptoKey; alg?: string; kid?: string; expiresIn?: string };

function sign(claims: Record<string, unknown> = {}, signing: Signing = {}): Promise<string> {
  const { key = new TextEncoder().encode(SECRET), alg = 'HS256', kid, expiresIn = '1h' } = signing;
  return new SignJWT({ sub: USER, role: 'authenticated', email: 'ann@homeroom.test', ...claims })
    .setProtectedHeader({ alg, kid })
    .setExpirationTime(expiresIn)
    .sign(key);
}

/** An Auth server that only knows its public keys, and counts how often it is asked for them. */
async function keyServer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }];
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    supabaseUrl: `http://127.0.0.1:${port}`,
    publicKey,
    privateKey,
    requests: () => requests,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

describe('with a shared secret', () => {
  const supabaseUrl = 'http://127.0.0.1:9';
  const verify = createTokenVerifier({ supabaseUrl, jwtSecret: SECRET });

  it('gives the bearer of a good token', async () => {
    const claims = await verify(await sign());
    expect(claims).toMatchObject({ userId: USER, email: 'ann@homeroom.test' });
    expect(claims.expiresAt).toBeGreaterThan(Date.now());
  });

  it('refuses an expired token, also one that it has seen while it was good', async () => {
    let now = Date.now();
    const verifyLater = createTokenVerifier({ supabaseUrl, jwtSecret: SECRET, now: () => now });
    const token = await sign();
    await verifyLater(token);
    now += 3_700_000;
    await expect(verifyLater(token)).rejects.toMatchObject({ appCode: 'SESSION_EXPIRED' });
  });

  it('refuses a token whose claims were changed', async () => {
    const [header, , signature] = (await sign()).split('.');
    const claims = { sub: USER.replace('5', '6'), role: 'authenticated', exp: 4_102_444_800 };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const forged = [header, payload, signature].join('.');
    await expect(verify(forged)).rejects.toMatchObject({ appCode: 'SESSION_INVALID' });
  });

  it('refuses a token that says it needs no signature', async () => {
    const [, payload] = (await sign()).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    const unsigned = `${header}.${payload}.`;
    await expect(verify(unsigned)).rejects.toMatchObject({ appCode: 'SESSION_INVALID' });
  });

  it.each(['anon', 'service_role'])('refuses the key of role %s: it is no person', async (role) => {
    await expect(verify(await sign({ role }))).rejects.toMatchObject({
      appCode: 'SESSION_INVALID',
    });
  });

  it.each(['', 'x', 'a.b.c'])('refuses %j, which is no token', async (token) => {
    await expect(verify(token)).rejects.toMatchObject({ appCode: 'SESSION_INVALID' });
  });
});

describe('with the keys of the project', () => {
  it('verifies by a public key, which it fetches once', async () => {
    await using server = await keyServer();
    const verify = createTokenVerifier({ supabaseUrl: server.supabaseUrl });
    const signing = { key: server.privateKey, alg: 'ES256', kid: 'one' };
    await verify(await sign({}, signing));
    await verify(await sign({ session_id: 'another' }, signing));
    expect(server.requests()).toBe(1);
  });

  it('refuses a token of another key pair', async () => {
    await using server = await keyServer();
    const stranger = await generateKeyPair('ES256');
    const verify = createTokenVerifier({ supabaseUrl: server.supabaseUrl });
    const token = await sign({}, { key: stranger.privateKey, alg: 'ES256', kid: 'one' });
    await expect(verify(token)).rejects.toMatchObject({ appCode: 'SESSION_INVALID' });
  });

  it('refuses a token that was signed with the public key as if it were a secret', async () => {
    await using server = await keyServer();
    const { supabaseUrl, publicKey } = server;
    const key = new TextEncoder().encode(JSON.stringify(await exportJWK(publicKey)));
    const verify = createTokenVerifier({ supabaseUrl });
    const token = await sign({}, { key, alg: 'HS256', kid: 'one' });
    await expect(verify(token)).rejects.toMatchObject({ appCode: 'SESSION_INVALID' });
  });

  it('says that it is unavailable, not that the token is bad, when keys cannot be had', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const verify = createTokenVerifier({ supabaseUrl: 'http://127.0.0.1:9' });
    const token = await sign({}, { key: privateKey, alg: 'ES256', kid: 'one' });
    await expect(verify(token)).rejects.toMatchObject({ appCode: 'UNAVAILABLE' });
  });
});
