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

/** Reopening while an outage is young: all are back 3 s after a restart. */
const REOPEN_SOON: Backoff = { firstMs: 500, capMs: 3_000 };
/** And when it isn't: polling serves meanwhile. */
const REOPEN_LATER: Backoff = { firstMs: 15_000, capMs: 15_000 };
/** Attempts until an outage isn't young any more: half a minute. */
const REOPEN_SOON_ATTEMPTS = 20;

/** How long to wait before the socket is opened for the `tries`th time in a row, from 1. */
export function reopenAfterMs(tries: number, random: number): number {
  return fullJitterMs(tries <= REOPEN_SOON_ATTEMPTS ? REOPEN_SOON : REOPEN_LATER, tries, random);
}
