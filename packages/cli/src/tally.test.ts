import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { closing, sum, tallyPlaywright, tallyVitest } from './tally.ts';

async function report(content: object): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'homeroom-tally-')), 'report.json');
  await writeFile(path, JSON.stringify(content));
  return path;
}

it('adds both runners up, and ends with what failed and the closing line', async () => {
  const unit = await tallyVitest(
    await report({
      numPassedTests: 40,
      success: false,
      testResults: [
        {
          name: 'sums.test.ts',
          message: '',
          assertionResults: [
            { fullName: 'adds', status: 'passed', failureMessages: [] },
            {
              fullName: 'carries',
              status: 'failed',
              failureMessages: ['9 \u001b[31mis not\u001b[0m 10'],
            },
          ],
        },
      ],
    }),
  );
  const flaky = {
    title: 'rings',
    file: 'bell.test.ts',
    tests: [{ status: 'flaky', results: [{}] }],
  };
  const browser = await tallyPlaywright(
    await report({
      stats: { expected: 5, unexpected: 0, flaky: 1 },
      errors: [],
      suites: [{ specs: [], suites: [{ specs: [flaky] }] }],
    }),
  );
  const end = closing(sum(unit, browser));
  expect(end).toContain('✗ sums.test.ts › carries\n    9 is not 10\n');
  expect(end).toContain('✗ bell.test.ts › rings');
  expect(end.split('\n').at(-1)).toBe('45 passed, 2 failed');
});

it('counts a run that broke outside of its tests as failed', async () => {
  const outside = await report({ numPassedTests: 3, success: false, testResults: [] });
  expect(await tallyVitest(outside)).toMatchObject({ passed: 3, failed: 1 });
});

it('counts a runner that left no report as failed', async () => {
  expect(await tallyPlaywright(join(tmpdir(), 'there-is-none.json'))).toMatchObject({
    passed: 0,
    failed: 1,
  });
});
