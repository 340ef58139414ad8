/** A rate's step unless told otherwise; upstream's, as is the window below. */
const TICK_MS = 5_000;
const WINDOW_TICKS = 12;

/**
 * Events per second as upstream measures them: an average over the last minute, in steps of five
 * seconds, of which only the finished ones count. So a burst is answered for when its step is over,
 * and a fresh counter averages over the few steps that it has.
 */
export class Rate {
  readonly #perSecond: number;
  readonly #tickMs: number;
  /** Of the finished steps, the latest first. */
  #finished: number[] = [];
  #current = 0;
  #tick: number | null = null;

  constructor(perSecond: number, tickMs = TICK_MS) {
    this.#perSecond = perSecond;
    this.#tickMs = tickMs;
  }

  /** Counts events that happened now. */
  count(nowMs: number, events = 1): void {
    if (this.#perSecond === Infinity) return;
    this.#moveTo(nowMs);
    this.#current += events;
  }

  /** Events per second; 0 where nothing is limited, since nothing is counted then. */
  average(nowMs: number): number {
    if (this.#tick === null) return 0;
    this.#moveTo(nowMs);
    if (this.#finished.length === 0) return 0;
    const total = this.#finished.reduce((sum, count) => sum + count, 0);
    return total / ((this.#finished.length * this.#tickMs) / 1_000);
  }

  /** Whether as many events came as are allowed. */
  isReached(nowMs: number): boolean {
    return this.#perSecond !== Infinity && this.average(nowMs) >= this.#perSecond;
  }

  #moveTo(nowMs: number): void {
    const tick = Math.floor(nowMs / this.#tickMs);
    // A clock that was put back begins anew.
    if (this.#tick === null || tick < this.#tick) this.#tick = tick;
    const passed = Math.min(tick - this.#tick, WINDOW_TICKS);
    if (passed === 0) return;
    const idle = Array.from({ length: passed - 1 }, () => 0);
    this.#finished = [...idle, this.#current, ...this.#finished].slice(0, WINDOW_TICKS);
    this.#current = 0;
    this.#tick = tick;
  }
}
