/** Broadcasts of clients that are kept for replay, because their sender asks for it and may. */
import type pg from 'pg';
import { isRecord } from '../codec/client-message.ts';
import type { BinaryPayload } from '../codec/encoding.ts';

/** How long a broadcast is to be kept. */
export type Keeping = { ttlSeconds: number };

/** The client asked for a time that nothing is kept for. */
export class InvalidTtl extends Error {
  constructor() {
    super(`ttl must be a whole number of seconds from 1 to ${MAX_TTL_SECONDS}`);
  }
}

/** 72 hours: then the table's day is dropped. */
const MAX_TTL_SECONDS = 259_200;

/**
 * Reads `persist`: true, or `{ ttl }` in seconds, which HTTP has as text; null if nothing is to be
 * kept. Throws {@link InvalidTtl}, also for a time that is too long, so that its sender learns of it.
 */
export function readPersist(persist: unknown): Keeping | null {
  if (persist === undefined || persist === null || persist === false || persist === 'false') {
    return null;
  }
  if (persist === true || persist === 'true') return { ttlSeconds: MAX_TTL_SECONDS };
  if (!isRecord(persist)) throw new InvalidTtl();
  const { ttl = null } = persist;
  if (ttl === null) return { ttlSeconds: MAX_TTL_SECONDS };
  const ttlSeconds = typeof ttl === 'string' && /^\d+$/.test(ttl) ? Number(ttl) : ttl;
  if (typeof ttlSeconds !== 'number' || !Number.isInteger(ttlSeconds)) throw new InvalidTtl();
  if (ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS) throw new InvalidTtl();
  return { ttlSeconds };
}

/** Writes broadcasts into `realtime.messages`, past the policies, which were asked before. */
export class KeptBroadcasts {
  readonly #pool: pg.Pool;
  readonly #maxBytes: number;
  readonly #onFailure: (reason: string) => void;

  constructor(pool: pg.Pool, maxBytes: number, onFailure: (reason: string) => void) {
    this.#pool = pool;
    this.#maxBytes = maxBytes;
    this.#onFailure = onFailure;
  }

  /**
   * Keeps one of a private topic, named without its prefix; the log passes it over. Gives its id, or
   * null when it can't be kept: it is told all the same.
   */
  async keep(topic: string, broadcast: BinaryPayload, keeping: Keeping): Promise<string | null> {
    const { event, isJson } = broadcast;
    const bytes = Buffer.from(broadcast.bytes);
    if (bytes.length > this.#maxBytes) return null;
    const id = crypto.randomUUID();
    const [payload, binary] = isJson ? [bytes.toString('utf8'), null] : [null, bytes];
    try {
      await this.#pool.query(INSERT, [id, topic, event, payload, binary, keeping.ttlSeconds]);
      return id;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#onFailure(`a broadcast for ${topic} was not kept: ${reason}`);
      return null;
    }
  }
}

const INSERT = `
  insert into realtime.messages
    (id, topic, event, payload, binary_payload, extension, private, skip_broadcast, expires_at)
  values ($1, $2, $3, $4::jsonb, $5, 'broadcast', true, true,
    timezone('utc', now()) + make_interval(secs => $6))`;
