/**
 * What the log tells can come faster than a socket takes it, as a transaction of a million rows
 * does. Reading waits for those who are behind, so that they need not be cut off; but not for long,
 * since everybody waits with them.
 */

/** Someone whose buffer may fill. */
export type Reader = {
  /** Bytes that wait for it. */
  readonly backlog: number;
  /** Resolves when all that was written has been taken, or the socket is gone. */
  drained(): Promise<void>;
};

/** How often one looks how far a reader has come. */
const PATIENCE_MS = 1_000;
/** Whoever still has more than this share of what waited is waited for no longer, until it has caught up. */
const LITTLE_PROGRESS = 0.9;
/** Nor is anybody, after so many looks. */
const MAX_LOOKS = 20;

export class Congestion {
  readonly #behind = new Set<Reader>();
  readonly #givenUp = new WeakSet<Reader>();
  readonly #onChange: (isCongested: boolean) => void;
  readonly #patienceMs: number;
  #relief: PromiseWithResolvers<void> | null = null;

  /** `onChange` hears when reading should stop, and when it should go on. */
  constructor(onChange: (isCongested: boolean) => void, patienceMs = PATIENCE_MS) {
    this.#onChange = onChange;
    this.#patienceMs = patienceMs;
  }

  /** This reader's buffer is half full. */
  note(reader: Reader): void {
    if (this.#behind.has(reader) || this.#givenUp.has(reader)) return;
    this.#behind.add(reader);
    if (this.#relief === null) {
      this.#relief = Promise.withResolvers<void>();
      this.#onChange(true);
    }
    let [waiting, looks] = [reader.backlog, 0];
    const look = setInterval(() => {
      looks += 1;
      if (reader.backlog <= waiting * LITTLE_PROGRESS && looks < MAX_LOOKS) {
        waiting = reader.backlog;
        return;
      }
      clearInterval(look);
      this.#givenUp.add(reader);
      this.#forget(reader);
    }, this.#patienceMs);
    void reader.drained().then(() => {
      clearInterval(look);
      this.#givenUp.delete(reader);
      this.#forget(reader);
    });
  }

  /** Resolves when nobody is waited for. */
  relief(): Promise<void> {
    return this.#relief?.promise ?? Promise.resolve();
  }

  #forget(reader: Reader): void {
    this.#behind.delete(reader);
    if (this.#behind.size > 0 || this.#relief === null) return;
    this.#relief.resolve();
    this.#relief = null;
    this.#onChange(false);
  }
}
