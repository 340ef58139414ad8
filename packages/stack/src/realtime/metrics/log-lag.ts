import type pg from 'pg';
import { SLOT_PREFIX } from '../replication/slot.ts';

/**
 * Bytes that Postgres has written to the log and not yet sent to us; null when nobody reads it, or
 * nobody answers. Sending stops while we judge more changes than may wait, so this is our lag too.
 */
export async function logLagBytes(pool: pg.Pool): Promise<number | null> {
  try {
    const { rows } = await pool.query<{ lag: number | null }>(
      `select pg_wal_lsn_diff(pg_current_wal_lsn(), min(sent_lsn))::float8 as lag
       from pg_replication_slots
       join pg_stat_replication on pid = active_pid
       where starts_with(slot_name, $1) and database = current_database()`,
      [SLOT_PREFIX],
    );
    return rows[0]?.lag ?? null;
  } catch {
    // Postgres restarts, say: that there is no answer is the answer.
    return null;
  }
}
