export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A moment as the database takes it. */
export const iso = (ms: number) => new Date(ms).toISOString();

/** The day (UTC) of a moment, counted from the epoch. */
export const dayOf = (ms: number) => Math.floor(ms / DAY_MS);
