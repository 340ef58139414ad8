/** Messages that SQL sent (`realtime.send` and the like), on their way from the log to the topic. */
import { TOPIC_PREFIX, type Topics } from '../channel/topic.ts';
import { encodeUserBroadcast } from '../codec/server-message.ts';
import { SharedFrame } from '../codec/shared-frame.ts';
import type { Relation, Tuple } from '../replication/pgoutput.ts';

/** Where each column of `realtime.messages` stands in a tuple. */
type Columns = {
  id: number;
  topic: number;
  event: number;
  payload: number;
  binary: number;
  private: number;
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
    const topic = this.#topics.find(TOPIC_PREFIX + name.toString('utf8'), isPrivate[0] === TRUE);
    if (topic === undefined) return;
    if (payload.length > this.#maxBytes) {
      this.#onDrop(`a message for ${topic.name} was dropped: its payload is too large`);
      return;
    }
    const uuid = id.toString('latin1');
    const meta = `{"id":"${uuid}"}`;
    // Copied: the log's buffer is used again before this turn's frames are encoded.
    const bytes = Buffer.from(payload);
    const broadcast = { event: event.toString('utf8'), isJson: !!json, bytes };
    topic.broadcasts.send(
      new SharedFrame((version) => encodeUserBroadcast(version, topic.name, broadcast, meta)),
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
    };
    this.#columns.set(relation, columns);
    return columns;
  }
}

/** The bytes of a `bytea` in its text form, `\x…`. */
function unhex(value: Buffer | null | undefined): Buffer | null {
  return value ? Buffer.from(value.toString('latin1', 2), 'hex') : null;
}
