/** What the suite speaks to: our stack, started for it, or any Supabase project named by variables. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { bootstrapDatabase, startGateway, startPostgres } from '../testing/index.ts';
import { defaultLimits } from '../realtime/limits.ts';

/** Signs an access token with these claims, to run out after so many seconds (which may be negative). */
export type Sign = (claims: Record<string, unknown>, expiresInSeconds: number) => Promise<string>;

/** A project under test. */
export type Target = AsyncDisposable & {
  url: string;
  publishableKey: string;
  secretKey: string;
  /** As role `postgres`. */
  databaseUrl: string;
  /** Signs as the project does, by algorithm; empty where its secrets aren't known. */
  signers: Record<string, Sign>;
  /** Restarts Realtime; null where that isn't ours to do. */
  restart: (() => Promise<void>) | null;
};

/** Whether the suite runs against somebody else's project, where things take their time. */
export const isForeign = process.env['SUPABASE_URL'] !== undefined;

/**
 * The project that `SUPABASE_URL`, `SUPABASE_PUBLISHABLE_KEY`, `SUPABASE_SECRET_KEY` and
 * `DATABASE_URL` name (and `SUPABASE_JWT_SECRET`, where its tokens are signed with one); our own
 * stack where there is no such URL.
 */
export function openTarget(): Promise<Target> {
  return isForeign ? Promise.resolve(foreignTarget()) : ownTarget();
}

function foreignTarget(): Target {
  const jwtSecret = process.env['SUPABASE_JWT_SECRET'];
  return {
    url: variable('SUPABASE_URL'),
    publishableKey: variable('SUPABASE_PUBLISHABLE_KEY'),
    secretKey: variable('SUPABASE_SECRET_KEY'),
    databaseUrl: variable('DATABASE_URL'),
    signers: jwtSecret === undefined ? {} : { HS256: withSecret(jwtSecret) },
    restart: null,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`SUPABASE_URL is set, ${name} is not.`);
  return value;
}

/** Our stack with its defaults, but for how soon it looks for tokens that have run out. */
async function ownTarget(): Promise<Target> {
  await using started = new AsyncDisposableStack();
  const cluster = await startPostgres();
  started.defer(() => cluster.stop());
  await cluster.createDatabase('conformance');
  await bootstrapDatabase(cluster.adminUrl('conformance'));
  const { jwks, sign } = await keyPair();
  const gateway = await startGateway({
    dbUrl: cluster.url('conformance'),
    adminUrl: cluster.adminUrl('conformance'),
    jwks,
    realtimeLimits: { ...defaultLimits, sweepIntervalMs: 50 },
  });
  started.defer(() => gateway.stop());
  const running = started.move();
  return {
    url: gateway.apiUrl,
    publishableKey: gateway.publishableKey,
    secretKey: gateway.secretKey,
    databaseUrl: cluster.url('conformance'),
    signers: { HS256: withSecret(gateway.jwtSecret), ES256: sign },
    async restart() {
      await gateway.stopRealtime();
      await gateway.startRealtime();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function withSecret(secret: string): Sign {
  return (claims, expiresInSeconds) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(inSeconds(expiresInSeconds))
      .sign(new TextEncoder().encode(secret));
}

/** A key set as an identity provider publishes it, and a signature by its key. */
async function keyPair() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const kid = 'conformance';
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  const sign: Sign = (claims, expiresInSeconds) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid })
      .setExpirationTime(inSeconds(expiresInSeconds))
      .sign(privateKey);
  return { jwks: { keys: [jwk] }, sign };
}

function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}
