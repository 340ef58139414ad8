/**
 * The write-ahead log as a stream of committed changes, each told once. Reconnects by itself, goes
 * on where it was as long as Postgres still has that (see `slot.ts`), and says when it streams.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { RealtimeLogEntry } from '../index.ts';
import { lsnText, Progress } from './progress.ts';
import {
  type ChangedRows,
  type ChangeKind,
  decodeLogicalMessage,
  decodeRows,
  type Relation,
} from './pgoutput.ts';
import { Slot } from './slot.ts';
import { readWalFrame, standbyStatus, type WalConnection } from './wal-frames.ts';

/** Of which transaction a change is part. `xid` is the 32 bits that the log has of its number. */
type Transaction = { commitTimeMs: number; xid: number };

/** Changes wait to be judged, or to be taken by those who hear them. */
type PauseReason = 'judging' | 'readers';

/** One row change of a committed transaction; see `Tuple` for how long its values live. */
export type Change = Transaction & { relation: Relation } & ChangedRows;

type StreamOptions = {
  /** Connection string with the right to replicate. */
  url: string;
  publications: readonly string[];
  /** Whether anybody wants changes of this kind: the rows of others aren't read. */
  isWanted(relation: Relation, kind: ChangeKind): boolean;
  /** Called for every change that is wanted, in commit order. Must not throw. */
  onChange(change: Change): void;
  /** All that was read at once has been told: what gathered meanwhile can go out. */
  onReadEnd(): void;
  /** A table's definition is new or has changed, as of the next change. */
  onRelation(relation: Relation): void;
  /** Called before every attempt: makes sure that what is to be read exists. */
  prepare(): Promise<void>;
  /**
   * The stream was interrupted and what was written meanwhile is gone from it: called before the
   * first change of the new one.
   */
  catchUp(): Promise<void>;
  onLog(entry: RealtimeLogEntry): void;
};

/** Postgres ends a walsender after 60 s of silence by default; this is well within. */
const STATUS_INTERVAL_MS = 5_000;
/** It answers each status of ours; after so long without a word the connection is dead. */
const SILENCE_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** How long Postgres may take to hang up. */
const GOODBYE_MS = 2_000;
const BACKOFF_MS = [50, 100, 250, 500, 1_000, 2_000, 5_000];

/** Dates and numbers as JSON wants them, whatever the database's own settings are. */
const SESSION =
  '-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1';

export class ReplicationStream {
  readonly #options: StreamOptions;
  readonly #relations = new Map<number, Relation>();
  #connection: WalConnection | null = null;
  #transaction: Transaction = { commitTimeMs: 0, xid: 0 };
  readonly #progress = new Progress();
  readonly #slot = new Slot((message) => this.#log('warning', message));
  /** By a clock that doesn't jump. */
  #lastHeardMs = 0;
  /** Why reading is stopped. */
  readonly #pauses = new Set<PauseReason>();
  #isClosed = false;
  #hasStreamed = false;
  #streaming = Promise.withResolvers<void>();
  #isStreaming = false;
  #loop: Promise<void> | null = null;
  readonly #closing = new AbortController();

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#streaming.promise.catch(() => undefined);
  }

  /** Begins; resolves when the log is being read, and rejects if the first attempt fails. */
  async start(): Promise<void> {
    const first = Promise.withResolvers<void>();
    this.#loop = this.#run(first);
    await first.promise;
  }

  /** Whether {@link streaming} is resolved. */
  get isStreaming(): boolean {
    return this.#isStreaming;
  }

  /** Resolves while the log is being read; otherwise when it is again. Rejects once closed. */
  streaming(): Promise<void> {
    return this.#streaming.promise;
  }

  /** Stops reading, so that Postgres waits; acknowledgements go on. */
  pause(reason: PauseReason): void {
    this.#pauses.add(reason);
    this.#connection?.stream.pause();
  }

  /** Goes on, unless there is another reason not to. */
  resume(reason: PauseReason): void {
    this.#pauses.delete(reason);
    if (this.#pauses.size === 0) this.#connection?.stream.resume();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort();
    this.#streaming.reject(new Error('closed'));
    await this.#hangUp();
    await this.#loop;
    await this.#dropSlot().catch((error: unknown) =>
      this.#log('warning', `the slot stays, for the next server: ${asError(error).message}`),
    );
  }

  async #dropSlot(): Promise<void> {
    if (!this.#hasStreamed) return;
    const client = new pg.Client(this.#connectionOptions());
    client.on('error', (error) => this.#log('warning', error.message));
    await client.connect();
    await this.#slot.drop(client).finally(() => client.end());
  }

  /** Says goodbye and waits for Postgres to hang up, by when it has let go of the slot. */
  async #hangUp(): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    const { stream } = connection;
    const gone = new Promise<void>((resolve) => stream.once('close', () => resolve()));
    stream.resume();
    connection.end();
    await Promise.race([gone, sleep(GOODBYE_MS, undefined, { ref: false })]);
    stream.destroy();
  }

  async #run(first: PromiseWithResolvers<void>): Promise<void> {
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
      const started = performance.now();
      const failure = await this.#streamUntilItEnds(() => first.resolve()).catch(asError);
      if (this.#isClosed) break;
      first.reject(failure);
      if (!this.#hasStreamed) return;
      if (this.#isStreaming) this.#streaming = Promise.withResolvers<void>();
      this.#streaming.promise.catch(() => undefined);
      this.#isStreaming = false;
      if (performance.now() - started > STATUS_INTERVAL_MS) attempt = 0;
      this.#log('warning', `stream ended: ${failure.message}; connecting again`);
      const wait = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)];
      await sleep(wait, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
    first.reject(new Error('closed'));
  }

  async #streamUntilItEnds(onFirst: () => void): Promise<Error> {
    await this.#options.prepare();
    const client = new pg.Client(this.#connectionOptions());
    const ended = Promise.withResolvers<Error>();
    client.on('error', (error) => ended.resolve(error));
    client.on('end', () => ended.resolve(new Error('the connection was closed')));
    await client.connect();
    const connection = (client as unknown as { connection: WalConnection }).connection;
    this.#connection = connection;
    let acknowledging: NodeJS.Timeout | undefined;
    try {
      if (this.#isClosed) return new Error('closed');
      const isKept = (await this.#slot.open(client, this.#progress.position)) === 'kept';
      if (!isKept) this.#progress.reset();
      connection.once('replicationStart', () => void this.#onStreaming(isKept, onFirst));
      connection.on('copyData', ({ chunk }) => this.#onCopyData(chunk));
      // Heard after `pg` has taken all messages out of what was read.
      connection.stream.on('data', this.#options.onReadEnd);
      this.#lastHeardMs = performance.now();
      acknowledging = setInterval(() => this.#keepAlive(), STATUS_INTERVAL_MS);
      client.query(this.#startReplication()).then(
        () => ended.resolve(new Error('the stream was ended')),
        (error: unknown) => ended.resolve(asError(error)),
      );
      return await ended.promise;
    } finally {
      clearInterval(acknowledging);
      this.#connection = null;
      this.#relations.clear();
      connection.stream.destroy();
    }
  }

  #connectionOptions(): pg.ClientConfig {
    return {
      connectionString: replicationUrl(this.#options.url),
      options: SESSION,
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    };
  }

  #startReplication(): string {
    const names = this.#options.publications.map((name) => `"${name}"`).join(',');
    const options = `proto_version '1', publication_names ${pg.escapeLiteral(names)}`;
    // Replication commands are understood in upper case only.
    return `START_REPLICATION SLOT ${this.#slot.name} LOGICAL ${lsnText(this.#progress.position)} (${options})`;
  }

  /** After an interruption, what the log no longer has is told before anything new. */
  async #onStreaming(isKept: boolean, onFirst: () => void): Promise<void> {
    const isFirst = !this.#hasStreamed;
    const connection = this.#connection;
    this.#hasStreamed = true;
    connection?.stream.pause();
    if (!isFirst && !isKept)
      await this.#options
        .catchUp()
        .catch((error: unknown) => this.#log('error', asError(error).message));
    if (this.#connection !== connection) return;
    if (this.#pauses.size === 0) connection?.stream.resume();
    this.#log('info', isFirst ? 'streaming' : 'streaming again');
    this.#isStreaming = true;
    this.#streaming.resolve();
    onFirst();
  }

  #onCopyData(chunk: Buffer): void {
    this.#lastHeardMs = performance.now();
    const frame = readWalFrame(chunk);
    if (frame === null) return;
    if (frame.kind === 'keepalive') {
      this.#progress.passed(frame.end);
      if (frame.wantsReply) this.#acknowledge();
      return;
    }
    try {
      this.#onLogicalMessage(chunk, frame.offset);
    } catch (error) {
      this.#log('error', `a change was skipped: ${asError(error).message}`);
    }
  }

  #onLogicalMessage(bytes: Buffer, offset: number): void {
    const message = decodeLogicalMessage(bytes, offset);
    switch (message.kind) {
      case 'begin':
        this.#progress.begin(message.commit);
        this.#transaction = { commitTimeMs: message.commitTimeMs, xid: message.xid };
        return;
      case 'relation':
        this.#relations.set(message.relation.oid, message.relation);
        this.#options.onRelation(message.relation);
        return;
      case 'change': {
        const relation = this.#countedChange(message.oid);
        if (relation === null || !this.#options.isWanted(relation, message.change)) return;
        const rows = decodeRows(bytes, offset, message.change);
        return this.#options.onChange({ ...rows, relation, ...this.#transaction });
      }
      case 'commit':
        return this.#progress.commit(message.end);
      case 'other':
        return;
    }
  }

  /** The table of a change; null if the change came before. */
  #countedChange(oid: number): Relation | null {
    if (!this.#progress.isNew()) return null;
    const relation = this.#relations.get(oid);
    if (relation === undefined) throw new Error(`unknown relation ${oid}`);
    return relation;
  }

  /** What was received needs no keeping: it is told from memory, to those who are connected now. */
  #acknowledge(): void {
    if (this.#isStreaming)
      this.#connection?.sendCopyFromChunk(standbyStatus(this.#progress.position, Date.now()));
  }

  #keepAlive(): void {
    // While reading is stopped, what Postgres says waits with all the rest.
    if (this.#pauses.size > 0) this.#lastHeardMs = performance.now();
    if (performance.now() - this.#lastHeardMs > SILENCE_MS) {
      this.#connection?.stream.destroy(new Error('Postgres has fallen silent'));
    } else {
      this.#acknowledge();
    }
  }

  #log(level: RealtimeLogEntry['level'], message: string): void {
    this.#options.onLog({ level, part: 'replication', message });
  }
}

function replicationUrl(url: string): string {
  const parsed = new URL(url);
  parsed.searchParams.set('replication', 'database');
  return parsed.toString();
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
