/** `realtime.subscription` as upstream keeps it: for people and tools that look at it, nobody else. */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Channel } from '../channel/channel.ts';
import { CHANGES_PUBLICATION } from '../replication/maintenance.ts';
import type { Wish } from './bindings.ts';
import type { Filter } from './filter.ts';

/** Channels that one statement writes. */
const BATCH = 500;

/** One binding, to become a row for each published table that it means. */
type Entry = {
  id: string;
  schema: string;
  table: string;
  filters: object[];
  claims: string;
  action: string;
  selected: readonly string[] | null;
};

const INSERT = `
  insert into realtime.subscription
    (subscription_id, entity, filters, claims, action_filter, selected_columns)
  select entry.id, published.entity,
    array(
      select wanted
      from jsonb_populate_recordset(null::realtime.user_defined_filter, entry.filters) as wanted
    ),
    entry.claims::jsonb, entry.action, entry.selected
  from jsonb_to_recordset($1) as entry(
    id uuid, schema text, "table" text, filters jsonb, claims text, action text, selected text[])
  join pg_roles on rolname = entry.claims::jsonb ->> 'role'
  join (
    select schemaname, tablename, format('%I.%I', schemaname, tablename)::regclass as entity
    from pg_publication_tables
    where pubname = '${CHANGES_PUBLICATION}'
  ) as published
    on entry.schema in ('*', schemaname) and entry.table in ('*', tablename)
  on conflict do nothing`;

/** Written behind the subscribers' backs, in batches: a row that is late harms nobody. */
export class SubscriptionTable {
  readonly #pool: pg.Pool;
  readonly #log: (message: string) => void;
  /** Ids of the rows that a channel has. */
  readonly #written = new WeakMap<Channel, string[]>();
  /** What is to be written for a channel; empty where its rows are to go. */
  readonly #waiting = new Map<Channel, Entry[]>();
  #writing: Promise<void> | null = null;

  /** `log` hears of rows that could not be written. */
  constructor(pool: pg.Pool, log: (message: string) => void) {
    this.#pool = pool;
    this.#log = log;
  }

  /** Forgets what an earlier server has left. */
  async clear(): Promise<void> {
    await this.#pool.query('delete from realtime.subscription');
  }

  /** The channel's bindings are these now. */
  put(channel: Channel, wishes: readonly Wish[]): void {
    this.#waiting.set(
      channel,
      wishes.map((wish) => entryOf(wish, channel.claims.json)),
    );
    this.#writing ??= this.#writeAll();
  }

  /** The channel has none any more. */
  remove(channel: Channel): void {
    if (!this.#waiting.has(channel) && !this.#written.has(channel)) return;
    this.#waiting.set(channel, []);
    this.#writing ??= this.#writeAll();
  }

  /** Ends; what waits is for the next server to forget. */
  async close(): Promise<void> {
    this.#waiting.clear();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // What else happens in this turn is written with it.
    await Promise.resolve();
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, BATCH);
      for (const [channel] of batch) this.#waiting.delete(channel);
      await this.#write(batch).catch((error: unknown) =>
        this.#log(`realtime.subscription: ${String(error)}`),
      );
    }
    this.#writing = null;
  }

  async #write(batch: [Channel, Entry[]][]): Promise<void> {
    const gone = batch.flatMap(([channel]) => this.#written.get(channel) ?? []);
    const entries = batch.flatMap(([, ofChannel]) => ofChannel);
    for (const [channel, ofChannel] of batch) {
      if (ofChannel.length === 0) this.#written.delete(channel);
      else
        this.#written.set(
          channel,
          ofChannel.map(({ id }) => id),
        );
    }
    if (gone.length > 0) {
      const remove = 'delete from realtime.subscription where subscription_id = any($1::uuid[])';
      await this.#pool.query(remove, [gone]);
    }
    if (entries.length > 0) await this.#pool.query(INSERT, [JSON.stringify(entries)]);
  }
}

function entryOf(wish: Wish, claims: string): Entry {
  const { event, schema, table, filters, select } = wish;
  return {
    ...{ id: randomUUID(), schema, table, claims, action: event, selected: select },
    filters: filters.map((filter) => ({
      column_name: filter.column,
      op: filter.operator,
      value: valueOf(filter),
      negate: filter.isNegated,
    })),
  };
}

/** Several values as the literal of an array. */
function valueOf({ operator, values }: Filter): string {
  if (operator !== 'in') return values[0] ?? '';
  return `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join(',')}}`;
}
