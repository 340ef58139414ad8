import type { Database } from '@homeroom/db';
import { sql, type SQL } from 'drizzle-orm';
import { onceMoreIfLost } from './lost-connection.ts';

/** Whether the database answers, and how fast. */
export type Health = { ok: boolean; database: 'up' | 'down'; latencyMs: number };

/** How long to wait for the database before saying that it is down. */
const PATIENCE_MS = 2_000;

/** Whether calls can be answered; and if not, why. */
export type Readiness = Health & { migrations: 'current' | 'behind' | 'unknown' };

/** Asks the database for the smallest of answers. Never throws. */
export async function checkHealth(database: Database): Promise<Health> {
  const { latencyMs, row } = await ask(database, sql`select true as "ok"`);
  return { ok: row !== null, database: row === null ? 'down' : 'up', latencyMs };
}

/**
 * Asks whether the database has a migration, by its version; any will do without one. A portal of
 * an older release works on a newer database, so more than that is no fault. Never throws.
 */
export async function checkReady(
  database: Database,
  migration: string | undefined,
): Promise<Readiness> {
  const { latencyMs, row } = await ask(
    database,
    sql`
      select ${migration ?? null}::text is null or exists (
        select 1 from supabase_migrations.schema_migrations where version = ${migration ?? null}
      ) as "ok"`,
  );
  if (row === null) return { ok: false, database: 'down', migrations: 'unknown', latencyMs };
  return { ok: row.ok, database: 'up', migrations: row.ok ? 'current' : 'behind', latencyMs };
}

/** The row of a small question, null when the database doesn't answer in time. */
async function ask(database: Database, question: SQL) {
  const startedAt = performance.now();
  const patience = Promise.withResolvers<null>();
  const timer = setTimeout(() => patience.resolve(null), PATIENCE_MS);
  const answer = onceMoreIfLost(async () => database.execute<{ ok: boolean }>(question)).then(
    ([row]) => row ?? null,
    () => null,
  );
  const row = await Promise.race([answer, patience.promise]);
  clearTimeout(timer);
  return { row, latencyMs: Math.round((performance.now() - startedAt) * 10) / 10 };
}
