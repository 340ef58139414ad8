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
  /** In place of {@link Listener.write}, for who is choosy or not to hear all of them. */
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
    let [v1, v2]: (Buffer | null | undefined)[] = [];
    let deliveries = 0;
    for (const listener of this.#listeners) {
      if (listener.isChoosy || exceptions?.has(listener)) {
        const own = framesBut(items, listener);
        deliveries += own.length;
        listener.take(own);
        continue;
      }
      let bytes: Buffer | null;
      if (listener.version === '2.0.0')
        bytes = v2 === undefined ? (v2 = joinFrames(all, '2.0.0')) : v2;
      else bytes = v1 === undefined ? (v1 = joinFrames(all, '1.0.0')) : v1;
      deliveries += all.length;
      if (bytes !== null) listener.write(bytes);
    }
    this.#onDelivered(deliveries);
  }
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
