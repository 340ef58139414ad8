import type { Database } from '@homeroom/db';
import { sql } from 'drizzle-orm';
import { onceMoreIfLost } from './lost-connection.ts';

/** Whether the database answers, and how fast. */
export type Health = { ok: boolean; database: 'up' | 'down'; latencyMs: number };

/** How long to wait for the database before saying that it is down. */
const PATIENCE_MS = 2_000;

/** Asks the database for the smallest of answers. Never throws. */
export async function checkHealth(database: Database): Promise<Health> {
  const startedAt = performance.now();
  const patience = Promise.withResolvers<false>();
  const timer = setTimeout(() => patience.resolve(false), PATIENCE_MS);
  const answer = onceMoreIfLost(async () => database.execute(sql`select 1`)).then(
    () => true,
    () => false,
  );
  const ok = await Promise.race([answer, patience.promise]);
  clearTimeout(timer);
  const latencyMs = Math.round((performance.now() - startedAt) * 10) / 10;
  return { ok, database: ok ? 'up' : 'down', latencyMs };
}
