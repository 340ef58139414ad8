/** How far apart attempts are. */
export type Backoff = {
  /** The most that is waited before the first attempt, ms; doubles with each failure. */
  firstMs: number;
  /** The most that is ever waited, ms. */
  capMs: number;
};

/**
 * How long to wait after `failures` failures in a row: anything between nothing and a growing
 * ceiling ("full jitter"), so that a thousand clients that lost the same server come back spread
 * out instead of in waves.
 */
export function fullJitterMs({ firstMs, capMs }: Backoff, failures: number, random: number) {
  const ceilingMs = Math.min(capMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return random * ceilingMs;
}
