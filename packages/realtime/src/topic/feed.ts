import type { LiveEvent } from '../connection/api.ts';

/** Events kept while they can't be applied yet; beyond it, catching up fetches them again. */
const HELD_MAX = 1_000;

/**
 * Puts the numbered events of one topic in order, each exactly once, whatever the network does with
 * them. Without clock and network: what to load and when is for others.
 */
export class Feed {
  /** Number of the last event given out; `undefined` before the first snapshot. */
  seq: number | undefined = undefined;
  /** The highest number heard of. Above `seq`, something is missing. */
  newest = 0;
  /** Events dropped because they had come before. */
  duplicates = 0;

  /** Early events, by number; and those given out while {@link retain}ed. */
  readonly #held = new Map<number, LiveEvent>();
  #retainers = 0;

  /** Something is known to be missing. */
  get hasGap(): boolean {
    return this.seq !== undefined && this.newest > this.seq;
  }

  /** Takes events in any order; gives those whose turn it is. */
  receive(events: Iterable<LiveEvent>): LiveEvent[] {
    const turn: LiveEvent[] = [];
    for (const event of events) {
      this.#hold(event);
      this.#drain(turn);
    }
    return turn;
  }

  /** A snapshot was loaded that tells everything up to `seq`; gives what comes after it. */
  snapshot(seq: number): LiveEvent[] {
    this.seq = seq;
    this.newest = Math.max(this.newest, seq);
    for (const number of this.#held.keys()) {
      if (number <= seq && this.#retainers === 0) this.#held.delete(number);
    }
    return this.#drain([]);
  }

  /** Learns from elsewhere that a number exists. */
  heardOf(seq: number): void {
    this.newest = Math.max(this.newest, seq);
  }

  /** Numbers have begun anew (another database): nothing held means anything any more. */
  reset(): void {
    this.#held.clear();
    this.newest = 0;
    this.seq = undefined;
  }

  /** From now on, keeps what it gives out, until the answer is called. */
  retain(): () => void {
    this.#retainers += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#retainers -= 1;
      if (this.#retainers === 0) this.#forget();
    };
  }

  /** The events after `seq` that were given out; `undefined` if they weren't all retained. */
  givenOutAfter(seq: number): LiveEvent[] | undefined {
    const events: LiveEvent[] = [];
    for (let number = seq + 1; number <= (this.seq ?? 0); number += 1) {
      const event = this.#held.get(number);
      if (!event) return undefined;
      events.push(event);
    }
    return events;
  }

  #hold(event: LiveEvent): void {
    this.newest = Math.max(this.newest, event.seq);
    if (event.seq <= (this.seq ?? 0) || this.#held.has(event.seq)) this.duplicates += 1;
    else if (this.#held.size < HELD_MAX || event.seq === (this.seq ?? 0) + 1) {
      this.#held.set(event.seq, event);
    }
  }

  #drain(turn: LiveEvent[]): LiveEvent[] {
    if (this.seq === undefined) return turn;
    for (let next = this.#held.get(this.seq + 1); next; next = this.#held.get(this.seq + 1)) {
      turn.push(next);
      this.seq = next.seq;
      if (this.#retainers === 0) this.#held.delete(next.seq);
    }
    return turn;
  }

  #forget(): void {
    for (const number of this.#held.keys()) {
      if (number <= (this.seq ?? 0)) this.#held.delete(number);
    }
  }
}
