/** The replication slot of one server: what makes Postgres keep what wasn't read yet. */
import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { lsnText, type Lsn } from './progress.ts';

/** Begins the name of every server's slot, as upstream's. */
export const SLOT_PREFIX = 'supabase_realtime_messages_replication_slot_';

/** kept: goes on where it was · new: begins now · unbounded: begins now and ends with the connection */
export type SlotState = 'kept' | 'new' | 'unbounded';

/**
 * A slot outlives an interruption, so that nothing is missed, but only where
 * `max_slot_wal_keep_size` limits what it can hold; elsewhere it is TEMPORARY, and ends with its
 * connection. Whoever stops removes its slot; that of a server which was killed is removed by the
 * next one on the same database.
 */
export class Slot {
  readonly name = `${SLOT_PREFIX}${randomBytes(6).toString('hex')}`;
  readonly #log: (message: string) => void;
  #wasMade = false;

  /** `log` hears of what went wrong and doesn't matter. */
  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  /** Finds or makes the slot, over a replication connection. `position` is where reading went. */
  async open(client: pg.Client, position: Lsn): Promise<SlotState> {
    if (this.#wasMade && (await this.#isUsable(client, position))) return 'kept';
    // Another server may be at it as well; and what stays is bounded.
    if (!this.#wasMade)
      await dropForsaken(client).catch((error: Error) => this.#log(error.message));
    const isBounded = await boundsSlots(client);
    const kind = isBounded ? '' : 'TEMPORARY ';
    // Replication commands are understood in upper case only.
    await client.query(
      `CREATE_REPLICATION_SLOT ${this.name} ${kind}LOGICAL pgoutput (SNAPSHOT 'nothing')`,
    );
    this.#wasMade = isBounded;
    return isBounded ? 'new' : 'unbounded';
  }

  /** Whether it still holds what was not read; one that doesn't is removed. */
  async #isUsable(client: pg.Client, position: Lsn): Promise<boolean> {
    const { rows } = await client.query<{ is_lost: boolean; is_held: boolean }>(`
      select wal_status = 'lost' or pg_current_wal_flush_lsn() < '${lsnText(position)}' as is_lost,
        -- Its last reader, cut off from us, may not have noticed yet.
        active_pid is not null and pg_terminate_backend(active_pid, 5000) as is_held
      from pg_replication_slots where slot_name = '${this.name}'`);
    const [found] = rows;
    if (found === undefined) return false;
    if (!found.is_lost) return true;
    await client.query(`select pg_drop_replication_slot('${this.name}')`);
    return false;
  }

  /** Removes it, once nobody reads it any more. */
  async drop(client: pg.Client): Promise<void> {
    if (!this.#wasMade) return;
    this.#wasMade = false;
    await client.query(`DROP_REPLICATION_SLOT ${this.name} WAIT`);
  }
}

/** Removes slots of servers that were killed: nobody reads them. */
async function dropForsaken(client: pg.Client): Promise<void> {
  await client.query(`
    select pg_drop_replication_slot(slot_name) from pg_replication_slots
    where database = current_database() and not temporary and not active
      and starts_with(slot_name, '${SLOT_PREFIX}')`);
}

/** Whether a slot that nobody reads is given up before it fills the disk. */
async function boundsSlots(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ is_bounded: boolean }>(
    `select current_setting('max_slot_wal_keep_size') <> '-1' as is_bounded`,
  );
  return rows[0]?.is_bounded === true;
}
