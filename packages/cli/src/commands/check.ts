import { CommandFailedError, runTool } from '../build.ts';
import { inRepository } from '../repository.ts';
import { type Tally, noTests, sum } from '../tally.ts';

/** What `pnpm check` looks at, cheapest first; each is one entry of the tally. */
const checks: { title: string; tool: string; args: string[]; mend: string }[] = [
  {
    title: 'format',
    tool: 'prettier',
    args: ['--check', '--cache', '--log-level=warn', '.'],
    mend: 'pnpm format',
  },
  {
    title: 'one version of each dependency',
    tool: 'sherif',
    args: [],
    mend: 'pnpm exec sherif --fix',
  },
  {
    title: 'migrations say what the schema says',
    tool: 'node',
    args: [inRepository('packages/db/src/migrations/generate.ts'), '--check'],
    mend: 'pnpm db generate --name <verb_phrase>',
  },
  {
    // Before knip and the linter, which read what SvelteKit writes here.
    title: 'types',
    tool: 'turbo',
    args: ['run', 'typecheck', '--output-logs=errors-only', '--continue'],
    mend: 'correct what is listed',
  },
  {
    title: 'unused code and dependencies',
    tool: 'knip',
    args: ['--no-progress'],
    mend: 'remove what is listed',
  },
  {
    title: 'lint',
    tool: 'eslint',
    args: ['--cache', '--cache-location', 'node_modules/.cache/eslint/', '--max-warnings=0', '.'],
    mend: 'pnpm exec eslint --fix .',
  },
];

/** Format, lint, types, versions, unused code, migrations: everything that needs no database. */
export async function check(): Promise<number> {
  return (await runChecks()).failed === 0 ? 0 : 1;
}

/** Runs all checks, printing each outcome, and counts them. */
export async function runChecks(): Promise<Tally> {
  let tally = noTests;
  for (const { title, tool, args, mend } of checks) {
    const passed = await passes(tool, args, mend);
    console.log(`${passed ? '✓' : '✗'} ${title}`);
    tally = sum(
      tally,
      passed ? { ...noTests, passed: 1 } : { ...noTests, failed: 1, failures: [`✗ ${title}`] },
    );
  }
  return tally;
}

async function passes(tool: string, args: string[], mend: string): Promise<boolean> {
  try {
    await runTool(tool, args);
    return true;
  } catch (error) {
    if (!(error instanceof CommandFailedError)) throw error;
    console.error(`${error.message}\nTo mend it: ${mend}\n`);
    return false;
  }
}
