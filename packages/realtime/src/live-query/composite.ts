import type { Readable } from 'svelte/store';

/** A store of what is seen of several sources together; follows them while it is followed. */
export abstract class Composite<State> implements Readable<State> {
  readonly #listeners = new Set<(state: State) => void>();
  #stops: readonly (() => void)[] | undefined;

  subscribe(run: (state: State) => void): () => void {
    this.#listeners.add(run);
    // Each source shows itself at once: one look is enough, when all have.
    this.#stops ??= this.followSources();
    run(this.look());
    return () => {
      if (!this.#listeners.delete(run) || this.#listeners.size > 0) return;
      for (const stop of this.#stops ?? []) stop();
      this.#stops = undefined;
    };
  }

  /** Begins to follow each source, calling {@link changed} whenever one shows something new. */
  protected abstract followSources(): (() => void)[];

  /** What is to be seen now. */
  protected abstract look(): State;

  /** A source shows something new. */
  protected changed(): void {
    if (!this.#stops) return;
    const state = this.look();
    for (const run of [...this.#listeners]) run(state);
  }
}
