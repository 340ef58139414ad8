/** Messages of the past, for a channel that asks for them when it joins. */
import type pg from 'pg';
import type { Channel } from '../channel/channel.ts';
import { IS_OVER } from '../postgres-changes/row-keys.ts';
import { ReadDenied } from '../channel/rights.ts';
import { isRecord } from '../codec/client-message.ts';
import { encodeMessage, encodeUserBroadcast } from '../codec/server-message.ts';

/** The client asked for a replay that it cannot have. */
export class ReplayRefused extends Error {}

const MAX_MESSAGES = 25;

/** What a channel gets of the past: whole frames, and the ids of the messages in them. */
export type Replayed = { frames: Buffer[]; ids: ReadonlySet<string> };

type StoredMessage = {
  id: string;
  event: string;
  payload: string | null;
  binary_payload: Buffer | null;
};

/** At least one row, which says whether the transaction $4 can be seen. */
const PAST = `
  select is_seen, past.*
  from (select ${IS_OVER} as is_seen from (select $4::bigint as xid) as last_told) as told
  left join lateral (
    select id, event, payload::text as payload, binary_payload
    from realtime.messages
    where topic = $1 and private is true and extension = 'broadcast' and event is not null
      and inserted_at >= to_timestamp($2::float8 / 1000) at time zone 'utc'
      and (payload is not null or binary_payload is not null)
      and (expires_at is null or expires_at > now() at time zone 'utc')
    order by inserted_at desc, id
    limit $3
  ) as past on true`;

/** Reads `realtime.messages`, where what the database sent is kept for 72 hours. */
export class Replay {
  readonly #pool: pg.Pool;
  /** The transaction of the newest message that went out; null before the first. */
  #lastTold: number | null = null;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /**
   * The newest messages since the asked time, oldest first; none if the channel asked for none.
   * Throws {@link ReplayRefused}, and {@link ReadDenied} where the channel may not hear broadcasts.
   */
  async prepare(channel: Channel): Promise<Replayed> {
    const { replay } = channel.config.broadcast;
    if (replay === null) return { frames: [], ids: new Set() };
    if (!channel.rights.broadcast.read) throw new ReadDenied(channel.subTopic);
    if (!channel.config.isPrivate) {
      throw new ReplayRefused('Replay is not allowed for public channels');
    }
    const asked = isRecord(replay) ? replay : {};
    const { since, limit = MAX_MESSAGES } = asked;
    if (!Number.isInteger(since) || !Number.isInteger(limit)) {
      throw new ReplayRefused('Replay params are not valid');
    }
    const messages = await this.#read(channel.subTopic, Number(since), Number(limit));
    return {
      frames: messages.map((message) => frameOf(channel, message)).filter((one) => one !== null),
      ids: new Set(messages.map(({ id }) => id)),
    };
  }

  /** Notes the transaction of a message that the log told of. */
  told(xid: number): void {
    this.#lastTold = xid;
  }

  /**
   * The log tells of a commit a moment before others see it. Who joins between the two doesn't hear
   * the message, so it must be in what is read: it is read again until it can be seen.
   */
  async #read(topic: string, sinceMs: number, limit: number): Promise<StoredMessage[]> {
    const asked = [topic, sinceMs, Math.min(Math.max(limit, 1), MAX_MESSAGES), this.#lastTold];
    try {
      for (;;) {
        const { rows } = await this.#pool.query<StoredMessage & { is_seen: boolean }>(PAST, asked);
        if (rows[0]?.is_seen !== false) return rows.filter(({ id }) => id !== null).reverse();
      }
    } catch (error) {
      throw new ReplayRefused('Realtime was unable to replay messages', { cause: error });
    }
  }
}

function frameOf(channel: Channel, message: StoredMessage): Buffer | null {
  const { version, name, joinRef } = channel;
  const { event } = message;
  const meta = JSON.stringify({ replayed: true, id: message.id });
  if (message.binary_payload !== null) {
    const bytes = { event, isJson: false, bytes: message.binary_payload };
    return version === '1.0.0' ? null : encodeUserBroadcast(version, name, bytes, meta);
  }
  const fields = `"event":${JSON.stringify(event)},"payload":${message.payload ?? 'null'}`;
  const payload = `{"type":"broadcast",${fields},"meta":${meta}}`;
  return encodeMessage(version, { joinRef, ref: null, topic: name, event: 'broadcast', payload });
}
