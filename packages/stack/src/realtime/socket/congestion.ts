/**
 * What the log tells can come faster than a socket takes it, as a transaction of a million rows
 * does. Reading waits for those who are behind, so that they need not be cut off; but not for long,
 * since everybody waits with them.
 */

/** Someone whose buffer may fill. */
export type Reader = {
  /** Resolves when all that was written has been taken, or the socket is gone. */
  drained(): Promise<void>;
};

/** Whoever hasn't caught up by then is waited for no longer, until it has. */
const PATIENCE_MS = 1_000;

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
    const patience = setTimeout(() => {
      this.#givenUp.add(reader);
      this.#forget(reader);
    }, this.#patienceMs);
    void reader.drained().then(() => {
      clearTimeout(patience);
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
