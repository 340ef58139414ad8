/**
 * What was last put in, by key: at least `atLeast` of it, at most twice as much. Two maps take turns,
 * since a map from which the oldest is taken each time walks over all that were taken before. Pure.
 */
export class Recent<Value> {
  readonly #atLeast: number;
  #older = new Map<string, Value>();
  #newer = new Map<string, Value>();

  constructor(atLeast: number) {
    this.#atLeast = atLeast;
  }

  set(key: string, value: Value): void {
    this.#newer.set(key, value);
    if (this.#newer.size < this.#atLeast) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }

  /** What is asked for counts as put in again. */
  get(key: string): Value | undefined {
    const known = this.#newer.get(key);
    if (known !== undefined) return known;
    const old = this.#older.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }
}
