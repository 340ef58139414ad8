/** Who hears a topic, and how one message reaches them all with the least work. */
import type { SerializerVersion } from '../codec/client-message.ts';
import type { SharedFrame } from '../codec/shared-frame.ts';
import type { Flusher } from '../socket/flusher.ts';

/** Someone who hears. */
export type Listener = {
  readonly version: SerializerVersion;
  write(bytes: Buffer): void;
};

type Item<L> = { frame: SharedFrame; except: L | null };

/**
 * The listeners of one topic. Messages of one turn of the event loop are joined into one buffer
 * per serializer version, and that buffer is written to every socket: one write, one buffer,
 * however many messages and listeners there are.
 */
export class Audience<L extends Listener> {
  readonly #listeners = new Set<L>();
  readonly #flusher: Flusher;
  #pending: Item<L>[] = [];
  #hasExceptions = false;

  constructor(flusher: Flusher) {
    this.#flusher = flusher;
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
    let v1: Buffer | null | undefined;
    let v2: Buffer | null | undefined;
    for (const listener of this.#listeners) {
      let bytes: Buffer | null;
      if (exceptions?.has(listener)) {
        bytes = joined(items, listener.version, listener);
      } else if (listener.version === '2.0.0') {
        bytes = v2 === undefined ? (v2 = joined(items, '2.0.0', null)) : v2;
      } else {
        bytes = v1 === undefined ? (v1 = joined(items, '1.0.0', null)) : v1;
      }
      if (bytes !== null) listener.write(bytes);
    }
  }
}

function joined<L>(
  items: Item<L>[],
  version: SerializerVersion,
  listener: L | null,
): Buffer | null {
  const frames: Buffer[] = [];
  for (const { frame, except } of items) {
    if (listener !== null && except === listener) continue;
    const bytes = frame.for(version);
    if (bytes !== null) frames.push(bytes);
  }
  if (frames.length < 2) return frames[0] ?? null;
  return Buffer.concat(frames);
}
