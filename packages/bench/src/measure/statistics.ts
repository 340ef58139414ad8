/** The value below which `share` (0–1) of the samples lie. */
export function quantile(samples: readonly number[], share: number): number {
  if (samples.length === 0) throw new Error('There are no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number;
}

/** The value in the middle. */
export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/**
 * Between which values the true median lies, 95 % sure: by ranks, so whatever way the samples are
 * spread. Wants a few dozen samples.
 */
export function medianInterval(samples: readonly number[]): { from: number; to: number } {
  const sorted = [...samples].sort((a, b) => a - b);
  // The number of samples below the median is binomial; 1.96 of its standard deviations each way.
  const half = 0.98 * Math.sqrt(sorted.length);
  const at = (rank: number) =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(rank)))] ?? NaN;
  return { from: at(sorted.length / 2 - half - 1), to: at(sorted.length / 2 + half) };
}

/** Rounds of each comparison: enough for a median that one bad round doesn't move. */
export const ROUNDS = 5;

/**
 * Measures the competitors in turns, `rounds` times, so that whatever else the machine does hits
 * all of them; the first, unmeasured turn warms up. Gives each one's results, round by round.
 */
export async function inTurns<Name extends string, Result>(
  competitors: Record<Name, () => Promise<Result>>,
  rounds: number = ROUNDS,
): Promise<Record<Name, Result[]>> {
  const names = Object.keys(competitors) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<
    Name,
    Result[]
  >;
  for (const name of names) await competitors[name]();
  for (let round = 0; round < rounds; round += 1) {
    // Who went second in this round goes first in the next.
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const name of order) results[name].push(await competitors[name]());
  }
  return results;
}
