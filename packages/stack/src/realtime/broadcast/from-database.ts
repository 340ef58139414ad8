/** Messages that SQL sent (`realtime.send` and the like), on their way from the log to the topic. */
import type pg from 'pg';
import { LRUCache } from 'lru-cache';
import { TOPIC_PREFIX, type Topics } from '../channel/topic.ts';
import { encodeUserBroadcast } from '../codec/server-message.ts';
import { SharedFrame } from '../codec/shared-frame.ts';
import type { Relation, Tuple } from '../replication/pgoutput.ts';

type Message = {
  name: Buffer;
  event: Buffer;
  uuid: string;
  isPrivate: boolean;
  isJson: boolean;
  payload: Buffer;
};
type MissedRow = {
  id: string;
  topic: string;
  event: string;
  private: boolean;
  payload: string | null;
  binary_payload: Buffer;
};

/** Most messages that one interruption is made good for. */
const CATCH_UP_ROWS = 10_000;
/** `inserted_at` is when a transaction began, so the window is wider than an interruption. */
const MISSED = `
  select id, topic, event, private, payload::text as payload, binary_payload
  from realtime.messages
  where extension = 'broadcast' and event is not null and private is not null
    and not skip_broadcast
    and (payload is not null or binary_payload is not null)
    and inserted_at > (now() at time zone 'utc') - interval '10 minutes'
  order by inserted_at desc limit $1`;

/** Where each column of `realtime.messages` stands in a tuple. */
type Columns = {
  id: number;
  topic: number;
  event: number;
  payload: number;
  binary: number;
  private: number;
  skip: number;
};

/** Named after the parent, or after the day's partition when the publication says so. */
const MESSAGES_TABLE = /^messages(_\d{4}_\d{2}_\d{2})?$/;
const TRUE = 't'.charCodeAt(0);

/** Whether this is the table that messages are sent through. */
export function isMessagesTable(relation: Relation): boolean {
  return relation.schema === 'realtime' && MESSAGES_TABLE.test(relation.name);
}

export class DatabaseBroadcasts {
  readonly #topics: Topics;
  readonly #maxBytes: number;
  readonly #columns = new WeakMap<Relation, Columns>();
  readonly #onDrop: (reason: string) => void;
  /** So that catching up repeats none. */
  readonly #recent = new LRUCache<string, true>({ max: CATCH_UP_ROWS });

  constructor(topics: Topics, maxBytes: number, onDrop: (reason: string) => void) {
    this.#topics = topics;
    this.#maxBytes = maxBytes;
    this.#onDrop = onDrop;
  }

  /** Sends one inserted row to whoever listens. Rows that are no whole message are skipped. */
  deliver(relation: Relation, row: Tuple): void {
    const columns = this.#columnsOf(relation);
    const [name, event, id] = [row[columns.topic], row[columns.event], row[columns.id]];
    const isPrivate = row[columns.private];
    const json = row[columns.payload];
    const payload = json ?? unhex(row[columns.binary]);
    if (!name || !event || !id || !isPrivate || !payload) return;
    // A client's own, which was told when it came.
    if (row[columns.skip]?.[0] === TRUE) return;
    const uuid = id.toString('latin1');
    this.#recent.set(uuid, true);
    const isJson = !!json;
    this.#publish({ name, event, uuid, isPrivate: isPrivate[0] === TRUE, isJson, payload });
  }

  /**
   * Sends what was written while the log wasn't read. A new slot begins at its making, so this
   * is asked of the table: rows of the last minutes that have not been sent yet, oldest first.
   */
  async catchUp(pool: pg.Pool): Promise<void> {
    const { rows } = await pool.query<MissedRow>(MISSED, [CATCH_UP_ROWS]);
    for (const row of rows.reverse()) {
      if (this.#recent.get(row.id)) continue;
      this.#recent.set(row.id, true);
      this.#publish({
        name: Buffer.from(row.topic),
        event: Buffer.from(row.event),
        uuid: row.id,
        isPrivate: row.private,
        isJson: row.payload !== null,
        payload: row.payload === null ? row.binary_payload : Buffer.from(row.payload),
      });
    }
  }

  /** Notes what was written before anyone could listen, so that catching up won't tell it. */
  async noteExisting(pool: pg.Pool): Promise<void> {
    const { rows } = await pool.query<MissedRow>(MISSED, [CATCH_UP_ROWS]);
    for (const row of rows.reverse()) this.#recent.set(row.id, true);
  }

  #publish({ name, event, uuid, isPrivate, isJson, payload }: Message): void {
    const topic = this.#topics.find(TOPIC_PREFIX + name.toString('utf8'), isPrivate);
    if (topic === undefined) return;
    if (payload.length > this.#maxBytes) {
      this.#onDrop(`a message for ${topic.name} was dropped: its payload is too large`);
      return;
    }
    const meta = `{"id":"${uuid}"}`;
    // Copied: the log's buffer is used again before this turn's frames are encoded.
    const broadcast = { event: event.toString('utf8'), isJson, bytes: Buffer.from(payload) };
    topic.broadcasts.send(
      new SharedFrame((version) => encodeUserBroadcast(version, topic.name, broadcast, meta), uuid),
    );
  }

  #columnsOf(relation: Relation): Columns {
    const known = this.#columns.get(relation);
    if (known !== undefined) return known;
    const at = (name: string): number =>
      relation.columns.findIndex((column) => column.name === name);
    const columns = {
      id: at('id'),
      topic: at('topic'),
      event: at('event'),
      payload: at('payload'),
      binary: at('binary_payload'),
      private: at('private'),
      skip: at('skip_broadcast'),
    };
    this.#columns.set(relation, columns);
    return columns;
  }
}

/** The bytes of a `bytea` in its text form, `\x…`. */
function unhex(value: Buffer | null | undefined): Buffer | null {
  return value ? Buffer.from(value.toString('latin1', 2), 'hex') : null;
}
