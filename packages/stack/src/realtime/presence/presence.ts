/** Who is present on one topic: pure bookkeeping of keys, their metas, and what changed. */

/** One tracked connection of a key, as clients see it. */
export type Meta = { phx_ref: string; phx_ref_prev?: string; [name: string]: unknown };
/** Metas by presence key: the shape of `presence_state`, and of both halves of `presence_diff`. */
export type PresenceEntries = Record<string, { metas: Meta[] }>;

/**
 * Presence of one topic. `Tracker` is whatever stands for one tracked connection. Changes gather
 * until {@link takeDiff}, so a crowd that comes in one tick is one diff; what came and went
 * between two diffs is in neither half.
 */
export class Presence<Tracker> {
  readonly #tracked = new Map<Tracker, { key: string; json: string; meta: Meta }>();
  readonly #joins = new Map<string, { key: string; meta: Meta }>();
  readonly #leaves = new Map<string, { key: string; meta: Meta }>();
  readonly #nextRef: () => string;

  constructor(nextRef: () => string) {
    this.#nextRef = nextRef;
  }

  get isEmpty(): boolean {
    return this.#tracked.size === 0;
  }

  /** Whether {@link takeDiff} has something to tell. */
  get hasChanged(): boolean {
    return this.#joins.size > 0 || this.#leaves.size > 0;
  }

  /** Tracks or updates. The same payload again changes nothing. */
  track(tracker: Tracker, key: string, payload: Record<string, unknown>): void {
    const json = JSON.stringify(payload);
    const previous = this.#tracked.get(tracker);
    if (previous?.json === json) return;
    const meta: Meta = { ...payload, phx_ref: this.#nextRef() };
    delete meta.phx_ref_prev;
    if (previous !== undefined) {
      meta.phx_ref_prev = previous.meta.phx_ref;
      this.#noteLeave(previous);
    }
    this.#tracked.set(tracker, { key, json, meta });
    this.#joins.set(meta.phx_ref, { key, meta });
  }

  /** Ends what the tracker tracked, if anything. */
  untrack(tracker: Tracker): void {
    const previous = this.#tracked.get(tracker);
    if (previous === undefined) return;
    this.#tracked.delete(tracker);
    this.#noteLeave(previous);
  }

  #noteLeave(entry: { key: string; meta: Meta }): void {
    const unseen = this.#joins.delete(entry.meta.phx_ref);
    if (!unseen) this.#leaves.set(entry.meta.phx_ref, entry);
  }

  /** Everyone present now. */
  state(): PresenceEntries {
    return group(this.#tracked.values());
  }

  /** What changed since the last call. */
  takeDiff(): { joins: PresenceEntries; leaves: PresenceEntries } {
    const diff = { joins: group(this.#joins.values()), leaves: group(this.#leaves.values()) };
    this.#joins.clear();
    this.#leaves.clear();
    return diff;
  }
}

function group(entries: Iterable<{ key: string; meta: Meta }>): PresenceEntries {
  // No prototype: a client may choose the key `__proto__`.
  const grouped = Object.create(null) as PresenceEntries;
  for (const { key, meta } of entries) (grouped[key] ??= { metas: [] }).metas.push(meta);
  return grouped;
}
