import { fullJitterMs, type Backoff } from '../connection/backoff.ts';
import type { Clock } from '../connection/clock.ts';
import { toLiveError, type LiveError } from '../connection/errors.ts';
import { within } from '../connection/within.ts';
import type { KeyValue } from './key-value.ts';

/** Between attempts that fail in a row. A person is waiting, so it doesn't grow far. */
const RETRY: Backoff = { firstMs: 1_000, capMs: 15_000 };

/** How far something that is to be delivered is. */
export type DeliveryState =
  | 'queued' // waits for its turn
  | 'sending' // on its way, for the first time or again
  | 'waiting' // could not be delivered yet; tried again by itself
  | 'delivered' // taken by the server
  | 'refused'; // the server won't take it; `error` says why, and only the person can go on

/** Something on its way to the server. */
export type Outgoing<Payload, Answer = unknown> = {
  /** The key by which the server knows it again: delivered twice, it counts once. */
  readonly id: string;
  readonly payload: Payload;
  /** Milliseconds since 1970, by this device's clock. */
  readonly queuedAt: number;
  readonly state: DeliveryState;
  readonly error: LiveError | undefined;
  readonly answer: Answer | undefined;
};

/** What an outbox is made of. */
export type OutboxOptions<Payload, Answer> = {
  /** Where its entries are kept: the beginning of their keys. */
  name: string;
  storage: KeyValue;
  clock: Clock;
  /** Gives one to the server; may be called again for the same entry. */
  deliver(entry: Outgoing<Payload>): Promise<Answer>;
};

/** What is kept of an entry. */
type Kept<Payload> = Pick<Outgoing<Payload>, 'id' | 'payload' | 'queuedAt'>;

/**
 * Delivers, in order and each until it is taken or refused, also after a reload, an hour offline or
 * in another tab: an entry is kept until the server has answered, and its id makes a repeat harmless.
 */
export class Outbox<Payload, Answer = unknown> {
  readonly #options: OutboxOptions<Payload, Answer>;
  readonly #listeners = new Set<() => void>();
  #entries: readonly Outgoing<Payload, Answer>[];
  #isDelivering = false;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(options: OutboxOptions<Payload, Answer>) {
    this.#options = options;
    this.#entries = this.#restore();
  }

  /** Oldest first; delivered ones until they are {@link forget | forgotten}. */
  get entries(): readonly Outgoing<Payload, Answer>[] {
    return this.#entries;
  }

  /** Hears of each change; the answer stops. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes something to deliver. */
  add(id: string, payload: Payload): void {
    const queuedAt = this.#options.clock.now();
    const kept: Kept<Payload> = { id, payload, queuedAt };
    this.#options.storage.set(this.#keyOf(id), JSON.stringify(kept));
    this.#set([...this.#entries, { ...kept, ...QUEUED }]);
    this.wake();
  }

  /** Tries again what was refused. */
  retry(id: string): void {
    this.#change(id, QUEUED);
    this.wake();
  }

  /** Gives up on an entry, or has no more use for a delivered one. Gives what it was. */
  forget(id: string): Payload | undefined {
    const entry = this.#entries.find((candidate) => candidate.id === id);
    if (!entry) return undefined;
    this.#options.storage.remove(this.#keyOf(id));
    this.#set(this.#entries.filter((other) => other !== entry));
    return entry.payload;
  }

  /** Tries at once: the network may be back. */
  wake(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    void this.#deliverAll();
  }

  async #deliverAll(): Promise<void> {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let next = this.#next(); next && !this.#cancelRetry; next = this.#next()) {
      await this.#deliver(next);
    }
    this.#isDelivering = false;
  }

  #next(): Outgoing<Payload, Answer> | undefined {
    return this.#entries.find(({ state }) => state === 'queued' || state === 'waiting');
  }

  async #deliver({ id }: Outgoing<Payload>): Promise<void> {
    const { clock, storage, deliver } = this.#options;
    this.#change(id, { state: 'sending', error: undefined });
    const entry = this.#entries.find((candidate) => candidate.id === id);
    if (!entry) return;
    try {
      const answer = await within(clock, deliver(entry));
      this.#failures = 0;
      storage.remove(this.#keyOf(id));
      this.#change(id, { state: 'delivered', answer });
    } catch (cause) {
      const error = toLiveError(cause);
      this.#change(id, { state: error.retryable ? 'waiting' : 'refused', error });
      if (!error.retryable) return;
      this.#failures += 1;
      const delayMs = fullJitterMs(RETRY, this.#failures, clock.random());
      const waitMs = Math.max(delayMs, (error.retryAfterSeconds ?? 0) * 1_000);
      this.#cancelRetry = clock.after(waitMs, () => this.wake());
    }
  }

  #change(id: string, change: Partial<Outgoing<Payload, Answer>>): void {
    this.#set(this.#entries.map((entry) => (entry.id === id ? { ...entry, ...change } : entry)));
  }

  #set(entries: readonly Outgoing<Payload, Answer>[]): void {
    this.#entries = entries;
    for (const listener of [...this.#listeners]) listener();
  }

  #keyOf(id: string): string {
    return `${this.#options.name}.${id}`;
  }

  /** What an earlier page has left; whatever can't be read is nothing of ours. */
  #restore(): Outgoing<Payload, Answer>[] {
    const { storage, name } = this.#options;
    return storage
      .keys(`${name}.`)
      .flatMap((key) => {
        const kept = parse<Payload>(storage.get(key));
        return kept ? [{ ...kept, ...QUEUED }] : [];
      })
      .sort((a, b) => a.queuedAt - b.queuedAt || (a.id < b.id ? -1 : 1));
  }
}

const QUEUED = { state: 'queued', error: undefined, answer: undefined } as const;

function parse<Payload>(text: string | null): Kept<Payload> | undefined {
  try {
    const kept = JSON.parse(text ?? 'null') as Partial<Kept<Payload>> | null;
    const isWhole = kept?.id !== undefined && kept.payload !== undefined;
    return isWhole && kept.queuedAt !== undefined ? (kept as Kept<Payload>) : undefined;
  } catch {
    return undefined;
  }
}
