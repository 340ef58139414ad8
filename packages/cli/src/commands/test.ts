import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBrowser } from '../browser.ts';
import { buildPortals } from '../build.ts';
import { inRepository, repositoryRoot } from '../repository.ts';
import { type Tally, closing, sum, tallyPlaywright, tallyVitest } from '../tally.ts';
import { runChecks } from './check.ts';

/** Everything: checks, unit, database and protocol tests, browser tests. Ends with the tally of all. */
export async function test(): Promise<number> {
  const reports = await mkdtemp(join(tmpdir(), 'homeroom-test-'));
  console.log('\nChecks');
  let tally = await runChecks();

  console.log('\nUnit, database and protocol tests');
  tally = sum(tally, await runVitest(join(reports, 'vitest.json')));

  console.log('\nBrowser tests');
  tally = sum(tally, await runPlaywright(join(reports, 'playwright.json')));

  await rm(reports, { recursive: true });
  console.log(`\n${closing(tally)}`);
  return tally.failed === 0 ? 0 : 1;
}

async function runVitest(reportPath: string): Promise<Tally> {
  await runLoudly('vitest', [
    'run',
    // It would leave a core alone; but Postgres and the servers under test wait more than they compute.
    '--maxWorkers=100%',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${reportPath}`,
  ]);
  return tallyVitest(reportPath);
}

async function runPlaywright(reportPath: string): Promise<Tally> {
  const executablePath = await findBrowser();
  await buildPortals();
  await runLoudly(
    inRepository('e2e/node_modules/.bin/playwright'),
    ['test', '--config=e2e/playwright.config.ts', '--reporter=list,json'],
    { CHROMIUM_PATH: executablePath, PLAYWRIGHT_JSON_OUTPUT_FILE: reportPath },
  );
  return tallyPlaywright(reportPath);
}

/** Runs a tool in front of the person who called us. How it went is read from its report. */
async function runLoudly(tool: string, args: string[], env = {}): Promise<void> {
  const path = tool.startsWith('/') ? tool : inRepository('node_modules/.bin', tool);
  const child = spawn(path, args, {
    cwd: repositoryRoot,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await once(child, 'close');
}
