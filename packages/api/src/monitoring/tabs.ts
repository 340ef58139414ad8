/** A tab that hasn't reported for so long is closed or asleep: three of its reports. */
const SILENT_MS = 50_000;
/** No portal's process has more; beyond it, the oldest are forgotten. */
const TABS_MAX = 100_000;

/** Which tabs are open, by their reports. */
export class Tabs {
  /** A Map keeps the order of insertion: the longest silent are first. */
  readonly #seen = new Map<string, { at: number; isLive: boolean }>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A tab has reported. */
  report(tabId: string, { isLive, isClosing }: { isLive: boolean; isClosing: boolean }): void {
    this.#seen.delete(tabId);
    if (isClosing) return;
    this.#seen.set(tabId, { at: this.#now(), isLive });
    if (this.#seen.size > TABS_MAX) this.#forgetFirst();
  }

  /** How many are open, and how many of them are live. */
  count(): { open: number; live: number } {
    const horizon = this.#now() - SILENT_MS;
    for (const { at } of this.#seen.values()) {
      if (at >= horizon) break;
      this.#forgetFirst();
    }
    let live = 0;
    for (const { isLive } of this.#seen.values()) live += Number(isLive);
    return { open: this.#seen.size, live };
  }

  #forgetFirst(): void {
    const [first] = this.#seen.keys();
    if (first !== undefined) this.#seen.delete(first);
  }
}
