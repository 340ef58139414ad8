/** Changes of published tables, to whoever subscribed to them and may see them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Channel } from '../channel/channel.ts';
import type { BindingParams } from '../channel/join-config.ts';
import { isUnavailable } from '../database-fault.ts';
import type { RealtimeLogEntry } from '../index.ts';
import type { Meter } from '../metrics/meter.ts';
import { CHANGES_PUBLICATION } from '../replication/maintenance.ts';
import type { ChangeKind, Relation } from '../replication/pgoutput.ts';
import type { Change } from '../replication/stream.ts';
import { bindingId } from './binding-id.ts';
import { Bindings, readWish, type Wish } from './bindings.ts';
import { capture } from './capture.ts';
import { deliver, type Waiting } from './delivery.ts';
import { FilterError, parseFilter } from './filter.ts';
import { compileFilters } from './match.ts';
import type { CapturedChange } from './payload.ts';
import { SubscriptionTable } from './subscription-table.ts';
import { Tables, type Table } from './table.ts';
import { Visibility } from './visibility.ts';
import { Judge } from './judge.ts';

type Options = {
  pool: pg.Pool;
  /** Connection string of a role that may act as any other. */
  url: string;
  /** Largest change delivered whole, in bytes. */
  changeBytes: number;
  /** Writes what was queued for sockets. */
  flush(): void;
  meter: Meter;
  /** Stops and starts the log, when changes come faster than they can be judged. */
  pause(): void;
  resume(): void;
  /** Resolves when those who hear have taken what they were sent. */
  relief(): Promise<void>;
  log(entry: RealtimeLogEntry): void;
};

type Captured = { change: CapturedChange; relation: Relation; bindings: Waiting['bindings'] };

/** Changes that may wait before the log is stopped, and how many are judged at once. */
const MAX_WAITING = 2_000;
const BATCH = 500;
/** The same in bytes of their values. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
const BATCH_BYTES = 8 * 1024 * 1024;
const MAX_RETRY_MS = 1_000;
const SUBSCRIBED = 'Subscribed to PostgreSQL';

/** A subscription that cannot be made; the message is for the client. */
export class SubscriptionRefused extends Error {}

export class PostgresChanges {
  readonly #options: Options;
  readonly #bindings = new Bindings();
  readonly #tables: Tables;
  readonly #table: SubscriptionTable;
  readonly #judge: Judge;
  readonly #visibility: Visibility;
  #waiting: Captured[] = [];
  #waitingBytes = 0;
  #isDelivering = false;
  #isPaused = false;
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#tables = new Tables(options.pool);
    this.#table = new SubscriptionTable(options.pool, (message) => this.#log('warning', message));
    this.#judge = new Judge(options.url, (error) => this.#log('warning', error.message));
    this.#visibility = new Visibility(this.#judge, (message) => this.#log('warning', message));
  }

  /** Nobody is subscribed when a server begins. */
  begin(): Promise<void> {
    return this.#table.clear();
  }

  /** The bindings with their ids, for the join's reply: echoed as they came, in their order. */
  describe(bindings: BindingParams[]): BindingParams[] {
    return bindings.map((params) => ({ ...params, id: bindingId(params) }));
  }

  /** Begins to deliver what the channel's bindings ask for, and tells the client so. */
  subscribe(channel: Channel): void {
    this.#subscribe(channel).catch((error: unknown) => {
      const isRefusal = error instanceof SubscriptionRefused;
      const reason = error instanceof Error ? error.message : String(error);
      if (!isRefusal) this.#log('error', `${channel.subTopic}: ${reason}`);
      if (channel.state === 'joined') channel.system('postgres_changes', 'error', reason);
    });
  }

  /**
   * Begins to deliver before the join is answered; {@link announce} tells the client then. Throws
   * {@link SubscriptionRefused}.
   */
  async establish(channel: Channel): Promise<void> {
    const wishes = channel.config.postgresChanges.map(wishOf);
    for (const wish of wishes) await this.#check(channel, wish);
    this.#bindings.remove(channel);
    if (channel.state === 'closed') return;
    wishes.forEach((wish, n) => {
      this.#bindings.add(channel, wish, bindingId(channel.config.postgresChanges[n] ?? {}));
    });
    this.#table.put(channel, wishes);
  }

  /** Tells the client that its bindings are live. */
  announce(channel: Channel): void {
    if (channel.state === 'joined') channel.system('postgres_changes', 'ok', SUBSCRIBED);
  }

  /** The same again, under the channel's new claims. */
  resubscribe(channel: Channel): void {
    if (channel.config.postgresChanges.length > 0) this.subscribe(channel);
  }

  /** Tells all that the log was interrupted and flows again: what changed meanwhile is not told. */
  announceAgain(): void {
    for (const channel of this.#bindings.channels()) this.announce(channel);
  }

  /** Ends what the channel subscribed to. */
  unsubscribe(channel: Channel): void {
    this.#bindings.remove(channel);
    this.#table.remove(channel);
  }

  /** The table's definition, policies' switch or grants have changed. */
  forget(relation: Relation): void {
    this.#tables.forget(relation.oid);
  }

  /** Whether anybody asked for changes of this kind. */
  isWanted(relation: Relation, kind: ChangeKind): boolean {
    return this.#bindings.for(relation, kind).length > 0;
  }

  /** Takes a change from the log. */
  accept(change: Change): void {
    const { relation, kind } = change;
    const bindings = this.#bindings.for(relation, kind);
    if (bindings.length === 0) return;
    const captured = { change: capture(change), relation, bindings };
    this.#waiting.push(captured);
    this.#waitingBytes += captured.change.bytes;
    const isFull = this.#waiting.length >= MAX_WAITING || this.#waitingBytes >= MAX_WAITING_BYTES;
    if (isFull && !this.#isPaused) {
      this.#isPaused = true;
      this.#options.pause();
    }
    if (!this.#isDelivering) void this.#deliverAll();
  }

  async #deliverAll(): Promise<void> {
    this.#isDelivering = true;
    // The rest of what came in this turn joins the first batch.
    await Promise.resolve();
    while (this.#waiting.length > 0 && !this.#isClosed) {
      await this.#deliver(this.#nextBatch());
      await this.#options.relief();
      const isLow =
        this.#waiting.length < MAX_WAITING / 2 && this.#waitingBytes < MAX_WAITING_BYTES / 2;
      if (this.#isPaused && isLow) {
        this.#isPaused = false;
        this.#options.resume();
      }
    }
    this.#isDelivering = false;
  }

  #nextBatch(): Captured[] {
    let bytes = 0;
    let size = 0;
    for (const { change } of this.#waiting) {
      bytes += change.bytes;
      size += 1;
      if (size === BATCH || bytes >= BATCH_BYTES) break;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, size);
  }

  /** A database that can't be asked is asked again until it can: nothing is lost meanwhile. */
  async #deliver(batch: readonly Captured[]): Promise<void> {
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
      try {
        const parts = { ...this.#options, tables: this.#tables, visibility: this.#visibility };
        await deliver(parts, await this.#described(batch));
        this.#options.flush();
        return;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (!isUnavailable(error)) {
          this.#log('error', `${batch.length} changes were lost: ${reason}`);
          return;
        }
        if (attempt === 0) this.#log('warning', `changes wait for the database: ${reason}`);
        await sleep(Math.min(20 * 2 ** attempt, MAX_RETRY_MS), undefined, { ref: false });
      }
    }
  }

  async #described(batch: readonly Captured[]): Promise<Waiting[]> {
    const described: Waiting[] = [];
    for (const { change, relation, bindings } of batch) {
      described.push({ change, bindings, table: await this.#tables.get(relation) });
    }
    return described;
  }

  async #subscribe(channel: Channel): Promise<void> {
    await this.establish(channel);
    this.announce(channel);
  }

  /** Refuses what could never deliver anything, so that its author learns of it. */
  async #check(channel: Channel, wish: Wish): Promise<void> {
    const oid = await this.#tables.published(CHANGES_PUBLICATION, wish.schema, wish.table);
    if (oid === null)
      throw refusal(wish, 'Please check Realtime is enabled for the given connect parameters');
    if (wish.table === '*' || wish.schema === '*') return;
    const table = await this.#tables.get({ oid, schema: wish.schema, name: wish.table });
    if (table === null) return;
    await this.#checkColumns(channel, wish, table);
  }

  async #checkColumns(channel: Channel, wish: Wish, table: Table): Promise<void> {
    const selectable = await this.#tables.selectable(table.oid, channel.claims.role);
    const asked = [...wish.filters.map((filter) => filter.column), ...(wish.select ?? [])];
    const denied = asked.find((name) => !selectable.has(name));
    if (denied !== undefined) throw refusal(wish, `invalid column for filter ${denied}`);
    try {
      await compileFilters(this.#options.pool, table, wish.filters);
    } catch (error) {
      if (error instanceof FilterError) throw refusal(wish, error.message);
      throw error;
    }
  }

  /** Ends; what waits is dropped. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#table.close();
    await this.#judge.close();
  }

  #log(level: RealtimeLogEntry['level'], message: string): void {
    this.#options.log({ level, part: 'postgres_changes', message });
  }
}

function wishOf(params: BindingParams): Wish {
  try {
    const wish = readWish(params, parseFilter(params.filter));
    if (wish !== null) return wish;
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new SubscriptionRefused(`Error parsing \`filter\` params: ${error.message}`);
  }
  throw new SubscriptionRefused(
    'No subscription params provided. Please provide at least a `schema` or `table` to subscribe to',
  );
}

function refusal({ event, schema, table, filterText }: Wish, reason: string): SubscriptionRefused {
  const filter = filterText === '' ? '' : `, filter: ${filterText}`;
  return new SubscriptionRefused(
    `Unable to subscribe to changes with given parameters. ${reason}: [event: ${event}, schema: ${schema}, table: ${table}${filter}]`,
  );
}
