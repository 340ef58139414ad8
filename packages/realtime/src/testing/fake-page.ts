import type { Page, PageSignal } from '../connection/page.ts';

/** A page that does what the test says. */
export class FakePage implements Page {
  #visible = true;
  #online = true;
  readonly #listeners = new Set<(signal: PageSignal) => void>();

  isVisible(): boolean {
    return this.#visible;
  }

  isOnline(): boolean {
    return this.#online;
  }

  onSignal(listener: (signal: PageSignal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  send(signal: PageSignal): void {
    if (signal === 'shown' || signal === 'hidden') this.#visible = signal === 'shown';
    if (signal === 'online' || signal === 'offline') this.#online = signal === 'online';
    for (const listener of this.#listeners) listener(signal);
  }
}
