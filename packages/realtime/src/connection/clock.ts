/** Time and chance, handed in so that tests decide about both. */
export type Clock = {
  /** Milliseconds since 1970, by this device's clock. */
  now(): number;
  /** Runs `run` after `delayMs`; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
};

/** The device's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
