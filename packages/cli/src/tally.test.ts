import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { closingLine, sum, tallyPlaywright, tallyVitest } from './tally.ts';

async function report(content: object): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'homeroom-tally-')), 'report.json');
  await writeFile(path, JSON.stringify(content));
  return path;
}

it('adds both runners up into the closing line', async () => {
  const unit = await tallyVitest(
    await report({ numPassedTests: 40, numFailedTests: 0, success: true }),
  );
  const browser = await tallyPlaywright(
    await report({ stats: { expected: 5, unexpected: 1, flaky: 1 } }),
  );
  expect(closingLine(sum(unit, browser))).toBe('45 passed, 2 failed');
});

it('counts a run that broke outside of its tests as failed', async () => {
  const broken = await report({ numPassedTests: 3, numFailedTests: 0, success: false });
  expect(await tallyVitest(broken)).toEqual({ passed: 3, failed: 1 });
});

it('counts a runner that left no report as failed', async () => {
  expect(await tallyPlaywright(join(tmpdir(), 'there-is-none.json'))).toEqual({
    passed: 0,
    failed: 1,
  });
});
