import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { inRepository, repositoryRoot } from './repository.ts';

/** A command that ended with another code than 0, with all that it printed. */
export class CommandFailedError extends Error {
  override readonly name = 'CommandFailedError';
  readonly output: string;

  constructor(command: string, output: string) {
    super(`${command} failed:\n${output}`);
    this.output = output;
  }
}

/**
 * Runs a tool of node_modules/.bin at the root of the repository and returns what it printed.
 * @throws CommandFailedError with the output, when it fails.
 */
export async function runTool(tool: string, args: string[], env = {}): Promise<string> {
  const child = spawn(inRepository('node_modules/.bin', tool), args, {
    cwd: repositoryRoot,
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new CommandFailedError([tool, ...args].join(' '), output);
  return output;
}

/** Builds both portals; what hasn't changed since the last build is taken from turbo's cache. */
export async function buildPortals(): Promise<void> {
  await runTool('turbo', ['run', 'build', '--output-logs=errors-only']);
}
