/** Who hears a topic, and how one message reaches them all with the least work. */
import type { SerializerVersion } from '../codec/client-message.ts';
import type { SharedFrame } from '../codec/shared-frame.ts';
import type { Flusher } from '../socket/flusher.ts';

/** Someone who hears. */
export type Listener = {
  readonly version: SerializerVersion;
  /** Whether it looks at each message, instead of being written what all are written. */
  readonly isChoosy: boolean;
  write(bytes: Buffer): void;
  /** In place of {@link Listener.write} for who is choosy. */
  take(frames: readonly SharedFrame[]): void;
};

type Item<L> = { frame: SharedFrame; except: L | null };

/** Told how often messages were delivered, when that has happened. */
type OnDelivered = (deliveries: number) => void;

/**
 * The listeners of one topic. Messages of one turn of the event loop are joined into one buffer
 * per serializer version, and that buffer is written to every socket: one write, one buffer,
 * however many messages and listeners there are.
 */
export class Audience<L extends Listener> {
  readonly #listeners = new Set<L>();
  readonly #flusher: Flusher;
  readonly #onDelivered: OnDelivered;
  #pending: Item<L>[] = [];
  #hasExceptions = false;

  constructor(flusher: Flusher, onDelivered: OnDelivered) {
    this.#flusher = flusher;
    this.#onDelivered = onDelivered;
  }

  /** Who hears. */
  listeners(): Iterable<L> {
    return this.#listeners.keys();
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** From the next message on. */
  add(listener: L): void {
    this.flush();
    this.#listeners.add(listener);
  }

  /** After the messages so far. */
  remove(listener: L): void {
    if (!this.#listeners.has(listener)) return;
    this.flush();
    this.#listeners.delete(listener);
  }

  /** Sends at the end of this turn, to all but `except`. */
  send(frame: SharedFrame, except: L | null = null): void {
    if (this.#listeners.size === 0) return;
    if (this.#pending.length === 0) this.#flusher.add(this);
    this.#pending.push({ frame, except });
    if (except !== null) this.#hasExceptions = true;
  }

  /** Writes what waits. */
  flush(): void {
    const items = this.#pending;
    if (items.length === 0) return;
    this.#pending = [];
    const exceptions = this.#hasExceptions ? new Set(items.map((item) => item.except)) : null;
    this.#hasExceptions = false;
    const all = items.map((item) => item.frame);
    const bytes: Record<SerializerVersion, Buffer | null | undefined> = {
      '1.0.0': undefined,
      '2.0.0': undefined,
    };
    let deliveries = 0;
    for (const listener of this.#listeners) {
      const { version } = listener;
      const isExcepted = exceptions?.has(listener) === true;
      const own = isExcepted ? framesBut(items, listener) : all;
      deliveries += own.length;
      if (listener.isChoosy) listener.take(own);
      else if (isExcepted) write(listener, joinFrames(own, version));
      else
        write(
          listener,
          (bytes[version] ??= bytes[version] === null ? null : joinFrames(all, version)),
        );
    }
    this.#onDelivered(deliveries);
  }
}

function write(listener: Listener, bytes: Buffer | null): void {
  if (bytes !== null) listener.write(bytes);
}

function framesBut<L>(items: Item<L>[], listener: L): SharedFrame[] {
  return items.filter((item) => item.except !== listener).map((item) => item.frame);
}

/** The frames as one buffer; null when this version can carry none of them. */
export function joinFrames(
  frames: readonly SharedFrame[],
  version: SerializerVersion,
): Buffer | null {
  const encoded = frames.map((frame) => frame.for(version)).filter((one) => one !== null);
  return encoded.length < 2 ? (encoded[0] ?? null) : Buffer.concat(encoded);
}
