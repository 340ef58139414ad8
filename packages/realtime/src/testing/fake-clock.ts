import type { Clock } from '../connection/clock.ts';

type Timer = { at: number; run: () => void };

/** Everything that was promised has happened: lets promises run until none is left. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A clock that stands still until it is told to go on, and chance from a fixed seed. */
export class FakeClock implements Clock {
  #now: number;
  #seed: number;
  readonly #timers = new Set<Timer>();

  constructor({ now = Date.UTC(2025, 0, 6), seed = 1 } = {}) {
    this.#now = now;
    this.#seed = seed;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** mulberry32: small, and even enough for jitter. */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time go on, running what falls due, in order, with all that it promises. */
  async advance(durationMs: number): Promise<void> {
    const until = this.#now + durationMs;
    await settled();
    for (let next = this.#due(until); next; next = this.#due(until)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
      await settled();
    }
    this.#now = until;
  }

  /** The clock is set, or the machine wakes: time has gone, and no timer has run. */
  jump(durationMs: number): void {
    this.#now += durationMs;
  }

  #due(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (!first || timer.at < first.at)) first = timer;
    }
    return first;
  }
}
