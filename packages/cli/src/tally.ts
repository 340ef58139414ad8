import { readFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';

/** How many checks or tests passed and failed, and which failed with what. */
export type Tally = { passed: number; failed: number; failures: string[] };

/** Nothing was run. */
export const noTests: Tally = { passed: 0, failed: 0, failures: [] };

/** Both together. */
export function sum(a: Tally, b: Tally): Tally {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    failures: [...a.failures, ...b.failures],
  };
}

/**
 * The end of a run: what failed, each with the first lines of its message, so that
 * whoever sees only the end of a long log knows; then `12 passed, 0 failed`.
 */
export function closing({ passed, failed, failures }: Tally): string {
  return [...failures, `${passed} passed, ${failed} failed`].join('\n');
}

const MESSAGE_LINES = 12;

function failure(name: string, message: string): string {
  const lines = stripVTControlCharacters(message).trim().split('\n');
  return [`✗ ${name}`, ...lines.slice(0, MESSAGE_LINES).map((line) => `    ${line}`), ''].join(
    '\n',
  );
}

type VitestReport = {
  numPassedTests: number;
  success: boolean;
  testResults: {
    name: string;
    message: string;
    assertionResults: { fullName: string; status: string; failureMessages: string[] | null }[];
  }[];
};

/**
 * Counts a report of Vitest's JSON reporter. A run that broke outside of any test
 * (a file that couldn't be loaded) counts as one failure; so does a missing report.
 */
export async function tallyVitest(path: string): Promise<Tally> {
  const report = await readReport<VitestReport>(path);
  if (report === null) return broken('Vitest left no report');
  const { numPassedTests: passed, success, testResults } = report;
  const failures = testResults.flatMap((file) => [
    ...(file.message === '' ? [] : [failure(file.name, file.message)]),
    ...file.assertionResults
      .filter(({ status }) => status === 'failed')
      .map((test) =>
        failure(`${file.name} › ${test.fullName}`, (test.failureMessages ?? []).join('\n')),
      ),
  ]);
  const outside = broken('Vitest met an error outside of the tests').failures;
  if (!success && failures.length === 0) failures.push(...outside);
  return { passed, failed: failures.length, failures };
}

type PlaywrightSuite = {
  specs: {
    title: string;
    file: string;
    tests: { status: string; results: { error?: { message?: string } }[] }[];
  }[];
  suites?: PlaywrightSuite[];
};
type PlaywrightReport = {
  stats: { expected: number; unexpected: number; flaky: number };
  errors: { message?: string }[];
  suites: PlaywrightSuite[];
};

/** Counts a report of Playwright's JSON reporter; what passed only when repeated counts as failed. */
export async function tallyPlaywright(path: string): Promise<Tally> {
  const report = await readReport<PlaywrightReport>(path);
  if (report === null) return broken('Playwright left no report');
  const { expected: passed, unexpected, flaky } = report.stats;
  const failures = [
    ...report.errors.map(({ message = '' }) => failure('Playwright', message)),
    ...report.suites.flatMap(failuresOf),
  ];
  return { passed, failed: Math.max(unexpected + flaky, failures.length), failures };
}

function failuresOf({ specs, suites = [] }: PlaywrightSuite): string[] {
  const failed = specs.filter(({ tests }) =>
    tests.some(({ status }) => status === 'unexpected' || status === 'flaky'),
  );
  const messages = failed.map(({ title, file, tests }) => {
    const errors = tests.flatMap(({ results }) => results.map(({ error }) => error?.message ?? ''));
    return failure(`${file} › ${title}`, errors.join('\n'));
  });
  return [...messages, ...suites.flatMap(failuresOf)];
}

function broken(name: string): Tally {
  return { passed: 0, failed: 1, failures: [failure(name, 'See above.')] };
}

async function readReport<T>(path: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
