import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { run, type Surroundings } from './run.ts';

/** Somebody at a terminal, who sees what is printed and may press Ctrl-C. */
function terminal() {
  const lines: string[] = [];
  const interrupted = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const put = (line: string): void => {
    lines.push(line);
    if (line.includes('Ctrl-C')) started.resolve();
  };
  const surroundings: Surroundings = {
    print: put,
    complain: put,
    interrupted: interrupted.promise,
  };
  return { surroundings, lines, started: started.promise, interrupt: () => interrupted.resolve() };
}

it('starts, tells what a .env file needs, and ends when interrupted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'command-'));
  await using _ = {
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
  const dataDir = ['--data-dir', join(folder, 'data')];
  const one = terminal();
  const ended = run(['start', ...dataDir, '--api-port=0', '--db-port=0'], one.surroundings);
  await one.started;

  const other = terminal();
  expect(await run(['status', ...dataDir], other.surroundings)).toBe(0);
  const env = Object.fromEntries(
    other.lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  );
  expect(env).toMatchObject({
    SUPABASE_URL: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
    SUPABASE_PUBLISHABLE_KEY: expect.stringMatching(/^sb_publishable_/) as string,
    DATABASE_URL: expect.stringMatching(/^postgres(ql)?:\/\/postgres:/) as string,
  });
  expect((await fetch(`${env['SUPABASE_URL']}/health`)).status).toBe(200);
  expect(await run(['start', ...dataDir], other.surroundings)).toBe(1);
  expect(other.lines.at(-1)).toMatch(/already/i);

  one.interrupt();
  expect(await ended).toBe(0);
  expect(await run(['status', ...dataDir], other.surroundings)).toBe(1);
});

it.each([
  ['--help', 0],
  ['dance', 2],
  ['--dance', 2],
])('helps with %s', async (argument, code) => {
  const { surroundings, lines } = terminal();
  expect(await run([argument], surroundings)).toBe(code);
  expect(lines.join('\n')).toContain('Usage: local-supabase');
});
