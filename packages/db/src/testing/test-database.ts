import { randomBytes } from 'node:crypto';
import { startGateway } from '@homeroom/stack/testing';
import { SignJWT } from 'jose';
import postgres, { type Sql, type TransactionSql } from 'postgres';
import { inject } from 'vitest';
import { connect } from '../connect.ts';
import { builders, type Builders } from './builders.ts';
import type {} from './global-setup.ts';

/** Signs the tokens of the tests; gateways that tests start know it. */
export const TEST_JWT_SECRET = 'a secret for tests only, with at least 32 characters';

/** Someone who can act: a row of `users`, or anything that has an id. */
export type Actor = { id: string; email?: string };

type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** A database of the test's own. */
export type TestDatabase = AsyncDisposable & {
  name: string;
  /** Its address as role `postgres`, which is no superuser but bypasses row level security. */
  url: string;
  /** Its address as superuser. */
  adminUrl: string;
  /** A pool as role `postgres`; times are strings with microseconds, as in the application. */
  sql: Sql;
  jwtSecret: string;
  /** Builders of rows: `await a.student().enrolledIn(course)`. */
  a: Builders;
  /** Runs `work` in a transaction as that user, under row level security; as nobody for null. */
  as<Result>(
    user: Actor | null,
    work: (tx: TransactionSql) => Result | Promise<Result>,
  ): Promise<Awaited<Result>>;
  /** An access token of the user's, as Auth would sign it. */
  token(user: Actor, options?: { expiresInSeconds?: number }): Promise<string>;
  /** Auth, REST and Realtime on this database; started with the first call. */
  gateway(): Promise<Gateway>;
};

/** Makes a copy of the migrated template: `await using db = await testDatabase()`. */
export async function testDatabase(): Promise<TestDatabase> {
  const cluster = inject('testCluster');
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = postgres(cluster.adminUrl, { max: 1, onnotice: () => undefined });
  await admin.unsafe(`create database ${name} template ${cluster.template} owner postgres`);

  const url = withDatabase(cluster.url, name);
  const adminUrl = withDatabase(cluster.adminUrl, name);
  const { $client: sql } = connect(url, { max: 64, idle_timeout: 5 });
  let gateway: Promise<Gateway> | undefined;

  return {
    name,
    url,
    adminUrl,
    sql,
    jwtSecret: TEST_JWT_SECRET,
    a: builders(sql),
    as: (user, work) => asUser(sql, user, work),
    token: signToken,
    gateway: () => (gateway ??= startGateway({ dbUrl: url, adminUrl, jwtSecret: TEST_JWT_SECRET })),
    async [Symbol.asyncDispose]() {
      await (await gateway)?.stop();
      await sql.end({ timeout: 5 });
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function asUser<Result>(
  sql: Sql,
  user: Actor | null,
  work: (tx: TransactionSql) => Result | Promise<Result>,
): Promise<Awaited<Result>> {
  const role = user ? 'authenticated' : 'anon';
  const claims = JSON.stringify(user ? { sub: user.id, role, email: user.email ?? '' } : { role });
  const result = await sql.begin(async (tx) => {
    await tx`select set_config('role', ${role}, true), set_config('request.jwt.claims', ${claims}, true)`;
    return work(tx);
  });
  return result as Awaited<Result>;
}

function signToken(
  user: Actor,
  { expiresInSeconds = 3600 }: { expiresInSeconds?: number } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ role: 'authenticated', email: user.email ?? '', is_anonymous: false })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(user.id)
    .setAudience('authenticated')
    .setIssuedAt(now)
    .setExpirationTime(now + expiresInSeconds)
    .sign(new TextEncoder().encode(TEST_JWT_SECRET));
}
