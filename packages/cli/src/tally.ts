import { readFile } from 'node:fs/promises';

/** How many checks or tests passed and failed. */
export type Tally = { passed: number; failed: number };

/** Nothing was run. */
export const noTests: Tally = { passed: 0, failed: 0 };

/** Both together. */
export function sum(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed };
}

/** The closing line of a run: `12 passed, 0 failed`. */
export function closingLine({ passed, failed }: Tally): string {
  return `${passed} passed, ${failed} failed`;
}

type VitestReport = { numPassedTests: number; numFailedTests: number; success: boolean };
type PlaywrightReport = { stats: { expected: number; unexpected: number; flaky: number } };

/**
 * Counts a report of Vitest's JSON reporter. A run that broke outside of any test
 * (a file that couldn't be loaded) counts as one failure; so does a missing report.
 */
export async function tallyVitest(path: string): Promise<Tally> {
  const report = await readReport<VitestReport>(path);
  if (report === null) return { passed: 0, failed: 1 };
  const failed = report.success ? 0 : Math.max(1, report.numFailedTests);
  return { passed: report.numPassedTests, failed };
}

/** Counts a report of Playwright's JSON reporter; what passed only when repeated counts as failed. */
export async function tallyPlaywright(path: string): Promise<Tally> {
  const report = await readReport<PlaywrightReport>(path);
  if (report === null) return { passed: 0, failed: 1 };
  const { expected, unexpected, flaky } = report.stats;
  return { passed: expected, failed: unexpected + flaky };
}

async function readReport<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
