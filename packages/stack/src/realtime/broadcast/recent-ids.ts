/**
 * The ids of the last messages: at least `atLeast` of them, at most twice as many. Two sets take
 * turns, since a set from which the oldest is taken each time walks over all that were taken before.
 * Pure.
 */
export class RecentIds {
  readonly #atLeast: number;
  #older = new Set<string>();
  #newer = new Set<string>();

  constructor(atLeast: number) {
    this.#atLeast = atLeast;
  }

  add(id: string): void {
    this.#newer.add(id);
    if (this.#newer.size < this.#atLeast) return;
    this.#older = this.#newer;
    this.#newer = new Set();
  }

  has(id: string): boolean {
    return this.#newer.has(id) || this.#older.has(id);
  }
}
