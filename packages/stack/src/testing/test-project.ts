/** For the stack's own tests: a project on a fresh database. */
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { SignJWT } from 'jose';
import postgres, { type Sql } from 'postgres';
import { bootstrapDatabase } from '../bootstrap/bootstrap.ts';
import type { CaughtMail } from '../mail/mailbox.ts';
import { type Gateway, type GatewayOptions, startGateway } from './throw-away-gateway.ts';
import { startPostgres } from './throw-away-postgres.ts';

/** A running project with what tests ask of it. */
export type TestProject = AsyncDisposable & {
  gateway: Gateway;
  /** As role `postgres`. */
  sql: Sql;
  /** As superuser. */
  admin: Sql;
  /** A supabase-js of its own, with the publishable key unless told otherwise. */
  client(key?: string): SupabaseClient;
  /** A token signed as Auth does. */
  token(claims: Record<string, unknown>, expiresInSeconds?: number): Promise<string>;
  /** Mails to an address, the latest first. */
  mails(to: string): Promise<CaughtMail[]>;
};

/** Starts Postgres, makes a database, runs `script` on it as role `postgres`, opens a gateway. */
export async function testProject(
  script = '',
  options: Partial<GatewayOptions> = {},
): Promise<TestProject> {
  await using started = new AsyncDisposableStack();
  const cluster = await startPostgres();
  started.defer(() => cluster.stop());
  await cluster.createDatabase('project');
  await bootstrapDatabase(cluster.adminUrl('project'));
  const sql = postgres(cluster.url('project'), { onnotice: () => undefined });
  started.defer(() => sql.end());
  const admin = postgres(cluster.adminUrl('project'), { onnotice: () => undefined });
  started.defer(() => admin.end());
  await sql.unsafe(script);
  const gateway = await startGateway({
    dbUrl: cluster.url('project'),
    adminUrl: cluster.adminUrl('project'),
    ...options,
  });
  started.defer(() => gateway.stop());
  const running = started.move();
  return {
    ...{ gateway, sql, admin },
    client: (key = gateway.publishableKey) =>
      createClient(gateway.apiUrl, key, {
        auth: { persistSession: false, autoRefreshToken: false },
      }),
    token: (claims, expiresInSeconds = 3600) =>
      new SignJWT({ role: 'authenticated', ...claims })
        .setProtectedHeader({ alg: 'HS256' })
        .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds)
        .sign(new TextEncoder().encode(gateway.jwtSecret)),
    async mails(to) {
      const response = await fetch(`${gateway.mailUrl}/api/messages?to=${encodeURIComponent(to)}`);
      return (await response.json()) as CaughtMail[];
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
