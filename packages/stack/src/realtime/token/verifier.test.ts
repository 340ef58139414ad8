import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  type JWTPayload,
  SignJWT,
} from 'jose';
import { describe, expect, it } from 'vitest';
import type { KeySet } from '../../keys/key-set.ts';
import { TokenVerifier } from './verifier.ts';

const SECRET = 'a-secret-for-tests-with-at-least-32-characters';

/** A pair of keys as an identity provider has it. */
async function issuer(alg: 'ES256' | 'RS256' | 'EdDSA', kid: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  const sign = (sub: string, expiresInSeconds = 60): Promise<string> =>
    new SignJWT({ role: 'authenticated', sub })
      .setProtectedHeader({ alg, kid })
      .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds)
      .sign(privateKey);
  return { jwk, sign };
}

function verifier(jwks?: KeySet): TokenVerifier {
  return new TokenVerifier({
    ...{ jwtSecret: SECRET, jwks },
    ...{ publishableKey: 'sb_publishable_test', secretKey: 'sb_secret_test' },
  });
}

describe('tokens signed with asymmetric keys', () => {
  it.each(['ES256', 'RS256', 'EdDSA'] as const)('of %s are told by their kid', async (alg) => {
    const [one, two] = [await issuer(alg, 'one'), await issuer(alg, 'two')];
    const tokens = verifier({ keys: [one.jwk, two.jwk] });
    expect(await tokens.verify(await one.sign('ann'))).toMatchObject({ sub: 'ann' });
    expect(await tokens.verify(await two.sign('bob'))).toMatchObject({ sub: 'bob' });
  });

  it('are verified with keys behind a URL, which are fetched once', async () => {
    const { jwk, sign } = await issuer('ES256', 'remote');
    let fetched = 0;
    const server = createServer((_, response) => {
      fetched += 1;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await using _ = { [Symbol.asyncDispose]: () => closed(server) };
    const tokens = verifier(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`);
    for (const sub of ['ann', 'bob']) {
      expect(await tokens.verify(await sign(sub))).toMatchObject({ sub });
    }
    expect(fetched).toBe(1);
  });

  it('are refused when nobody knows their key', async () => {
    const [known, unknown] = [await issuer('ES256', 'known'), await issuer('ES256', 'unknown')];
    const refusal = {
      code: 'JwtSignerError',
      message:
        'Failed to generate JWT signer for key ID (kid) "unknown", check your JWT secret or JWKS configuration',
    };
    const token = await unknown.sign('ann');
    await expect(verifier({ keys: [known.jwk] }).verify(token)).rejects.toMatchObject(refusal);
    await expect(verifier().verify(token)).rejects.toMatchObject(refusal);
    const nobody = verifier('http://127.0.0.1:9/jwks.json');
    await expect(nobody.verify(token)).rejects.toMatchObject(refusal);
  });

  it('are refused when another signed them under the same kid', async () => {
    const [known, forger] = [await issuer('ES256', 'one'), await issuer('ES256', 'one')];
    const attempt = verifier({ keys: [known.jwk] }).verify(await forger.sign('ann'));
    await expect(attempt).rejects.toMatchObject({ code: 'JwtSignatureError' });
  });

  it('can not be made of the public key as a shared secret', async () => {
    const { jwk } = await issuer('RS256', 'one');
    const forged = await new SignJWT({ role: 'service_role' })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(JSON.stringify(jwk)));
    await expect(verifier({ keys: [jwk] }).verify(forged)).rejects.toMatchObject({
      code: 'JwtSignatureError',
    });
  });

  it('leave the shared secret as it is, also with a kid', async () => {
    const { jwk } = await issuer('ES256', 'one');
    const token = await new SignJWT({ role: 'authenticated', sub: 'ann' })
      .setProtectedHeader({ alg: 'HS256', kid: 'shared' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(SECRET));
    expect(await verifier({ keys: [jwk] }).verify(token)).toMatchObject({ sub: 'ann' });
  });
});

describe('tokens signed with the shared secret', () => {
  const signed = (claims: JWTPayload, header: Partial<JWTHeaderParameters> = {}) =>
    new SignJWT({ role: 'authenticated', ...claims })
      .setProtectedHeader({ alg: 'HS256', ...header })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(SECRET));

  it.each(['HS256', 'HS384', 'HS512'])(
    'of %s are taken, also by who says when they begin',
    async (alg) => {
      const token = await signed({ sub: 'ann', nbf: 1_700_000_000 }, { alg });
      expect(await verifier().verify(token)).toMatchObject({ sub: 'ann' });
    },
  );

  it('are refused when anything in them was changed', async () => {
    const [head = '', payload = '', signature = ''] = (await signed({ sub: 'ann' })).split('.');
    const [, other = ''] = (await signed({ sub: 'bob' })).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const long = Buffer.from('{"alg":"HS512"}').toString('base64url');
    for (const [token, code] of [
      [`${head}.${other}.${signature}`, 'JwtSignatureError'],
      [`${head}.${payload}.${signature.slice(1)}`, 'JwtSignatureError'],
      [`${head}.${payload}.`, 'JwtSignatureError'],
      [`${long}.${payload}.${signature}`, 'JwtSignatureError'],
      [`${none}.${payload}.`, 'JwtSignerError'],
      [`${head}.${payload}`, 'MalformedJWT'],
      [`${head}.${payload}.${signature}.`, 'MalformedJWT'],
    ] as const) {
      await expect(verifier().verify(token)).rejects.toMatchObject({ code });
    }
  });
});

function closed(server: ReturnType<typeof createServer>): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
