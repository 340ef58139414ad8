/** Room around a picture for its labels, px. */
export const CHART_PADDING = { top: 8, right: 12, bottom: 24, left: 32 };

/** From nought up to at least this: of whole things, a smaller scale would have broken steps. */
const TOP_AT_LEAST = 4;

/** The domain of a scale for counts that holds all of these. */
export function countDomain(counts: readonly number[]): [number, number] {
  return [0, Math.max(TOP_AT_LEAST, ...counts)];
}
