/** Something that gathered writes during this turn of the event loop. */
export type Flushable = { flush(): void };

/** Lets everything that was gathered in one turn of the event loop be written at its end. */
export class Flusher {
  #waiting: Flushable[] = [];
  readonly #onFailure: (error: unknown) => void;

  /** `onFailure` hears of an item that failed; the others are flushed all the same. */
  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Flushes what has gathered so far, now. */
  readonly flush = (): void => {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (const one of waiting) {
      try {
        one.flush();
      } catch (error) {
        this.#onFailure(error);
      }
    }
  };

  /** `item.flush()` will be called once, before the next turn's reads. */
  add(item: Flushable): void {
    if (this.#waiting.length === 0) setImmediate(this.flush);
    this.#waiting.push(item);
  }
}
