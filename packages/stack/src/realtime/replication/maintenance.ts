/** What the server keeps in its database: publications to read, partitions to write messages to. */
import type pg from 'pg';

/** Tables that an app publishes for postgres_changes. */
export const CHANGES_PUBLICATION = 'supabase_realtime';
/** Messages that SQL sends. */
export const MESSAGES_PUBLICATION = 'supabase_realtime_messages_publication';

/**
 * Both publications, made if missing. An existing messages publication is left as it is: its rows
 * arrive named after the parent or after the day's partition, and both are understood.
 */
export async function ensurePublications(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ pubname: string }>('select pubname from pg_publication');
  const existing = new Set(rows.map((row) => row.pubname));
  if (!existing.has(CHANGES_PUBLICATION)) {
    await pool.query(`create publication ${CHANGES_PUBLICATION}`);
  }
  if (!existing.has(MESSAGES_PUBLICATION)) {
    await pool.query(
      `create publication ${MESSAGES_PUBLICATION} for table realtime.messages
       with (publish = 'insert', publish_via_partition_root = true)`,
    );
  }
}

/** Partitions of `realtime.messages`, one per day: without today's, `realtime.send` loses silently. */
export async function maintainPartitions(pool: pg.Pool): Promise<void> {
  await pool.query('select realtime.maintain_messages()');
}
