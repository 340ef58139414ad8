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

/** Days of messages that stay, for replay. */
const KEPT_DAYS = 3;

/**
 * Partitions of `realtime.messages`, one per UTC day, from yesterday to in three days; those older
 * than 72 hours are dropped. Without today's, `realtime.send` loses messages silently.
 */
export async function maintainPartitions(pool: pg.Pool): Promise<void> {
  await pool.query(`
    do $$
    declare
      today date := (now() at time zone 'utc')::date;
      day date;
      partition text;
    begin
      if (select relkind from pg_class where oid = 'realtime.messages'::regclass) <> 'p' then
        return;
      end if;
      for day in select generate_series(today - 1, today + 3, interval '1 day')::date loop
        partition := to_char(day, '"messages_"YYYY_MM_DD');
        if to_regclass('realtime.' || partition) is null then
          execute format(
            'create table if not exists realtime.%I partition of realtime.messages for values from (%L) to (%L)',
            partition, day, day + 1);
          execute format('alter table realtime.%I owner to supabase_realtime_admin', partition);
        end if;
      end loop;
      for partition in
        select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
        where inhparent = 'realtime.messages'::regclass
          and relname ~ '^messages_\\d{4}_\\d{2}_\\d{2}$'
          and relname < to_char(today - ${KEPT_DAYS}, '"messages_"YYYY_MM_DD')
      loop
        execute format('drop table realtime.%I', partition);
      end loop;
    end $$`);
}
