const TICK_MS = 5_000;
const WINDOW_TICKS = 12;

/**
 * An average over at most the last minute, counted in steps of five seconds, as upstream does it:
 * a fresh counter averages from its first step on, so a burst in its beginning trips it.
 */
export class Rate {
  readonly #perSecond: number;
  readonly #counts: number[] = [];
  #tick = -1;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Counts one event; false when the average is over the limit. */
  add(nowMs: number): boolean {
    if (this.#perSecond === Infinity) return true;
    const tick = Math.floor(nowMs / TICK_MS);
    const passed = this.#tick < 0 ? 1 : Math.min(tick - this.#tick, WINDOW_TICKS);
    for (let step = 0; step < passed; step += 1) this.#counts.unshift(0);
    this.#counts.length = Math.min(this.#counts.length, WINDOW_TICKS);
    this.#tick = tick;
    this.#counts[0] = (this.#counts[0] ?? 0) + 1;
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    return total / ((this.#counts.length * TICK_MS) / 1000) <= this.#perSecond;
  }
}
