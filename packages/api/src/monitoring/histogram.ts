/**
 * Bounds of the latency histograms, ms, as Prometheus and the database keep them: what is above the
 * last is in one bucket more. The database's rows hold counts in this order: add at the end only.
 */
export const LATENCY_BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000] as const;

/** A histogram: how many there were in each bucket. */
export type Buckets = number[];

/** One without anything in it. */
export function emptyBuckets(): Buckets {
  return Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
}

/** Counts one in the bucket it belongs to. */
export function countInto(buckets: Buckets, ms: number): void {
  const found = LATENCY_BOUNDS_MS.findIndex((bound) => ms <= bound);
  const at = found === -1 ? LATENCY_BOUNDS_MS.length : found;
  buckets[at] = (buckets[at] ?? 0) + 1;
}

/**
 * Below which so large a share lies, ms, taking what is in a bucket as evenly spread, as
 * Prometheus's `histogram_quantile` does. The last bound for what is above it; null for nothing.
 */
export function quantile(buckets: readonly number[], share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [at, bound] of LATENCY_BOUNDS_MS.entries()) {
    const count = buckets[at] ?? 0;
    if (count > 0 && below + count >= rank) {
      const from = LATENCY_BOUNDS_MS[at - 1] ?? 0;
      return from + ((bound - from) * (rank - below)) / count;
    }
    below += count;
  }
  return LATENCY_BOUNDS_MS.at(-1) ?? null;
}
