/** One running `postgres`: started, watched, stopped in order. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Binaries } from './binaries.ts';
import { PortTakenError } from './errors.ts';
import type { OsUser } from './os-user.ts';

/** What a server is started with. */
export type ServerOptions = {
  binaries: Binaries;
  user: OsUser;
  dataDir: string;
  port: number;
  settings: Record<string, string>;
  /** Each line that the server writes. */
  onLine(line: string): void;
};

/** A server that accepts connections. */
export type ServerProcess = {
  pid: number;
  /** Resolves when it has ended, by whatever cause. */
  ended: Promise<void>;
  /** Ends all connections, writes everything down, stops. */
  stop(): Promise<void>;
};

/** How long a stop may take before it is made immediate; the next start then recovers. */
const STOP_PATIENCE_MS = 20_000;

/** Starts a server and waits until it accepts connections, crash recovery included. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { binaries, user, dataDir, port, settings, onLine } = options;
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(binaries.postgres, ['-D', dataDir, '-p', `${port}`, ...flags], {
    ...user.ids,
    cwd: dataDir,
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    // A terminal's Ctrl-C goes to the whole group: Postgres would stop before those who use it.
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await ready(child, port, onLine);
  const guard = guardAgainstOurEnd(child);
  return {
    pid: child.pid ?? 0,
    ended,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGINT');
        const patience = setTimeout(() => child.kill('SIGQUIT'), STOP_PATIENCE_MS);
        await ended;
        clearTimeout(patience);
      }
      guard?.kill('SIGKILL');
    },
  };
}

/** No message in another language, and none of our secrets. */
function serverEnvironment(): Record<string, string> {
  return { LC_ALL: 'C', PATH: process.env['PATH'] ?? '', TZ: 'UTC' };
}

function ready(child: ChildProcess, port: number, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    let isReady = false;
    child.once('error', reject);
    if (child.stderr === null) throw new Error('Postgres was started without its log.');
    createInterface({ input: child.stderr }).on('line', (line) => {
      onLine(line);
      if (isReady) return;
      lines.push(line);
      if (line.includes('database system is ready to accept connections')) {
        isReady = true;
        resolve();
      }
    });
    child.once('close', () => {
      const log = lines.join('\n');
      reject(
        log.includes('Address already in use')
          ? new PortTakenError(port, 'POSTGRES_PORT')
          : new Error(`Postgres did not start:\n${log}`),
      );
    });
  });
}

/**
 * A shell that waits for the end of its input, which comes when this process ends, however it
 * ends; then it stops the server, which would live on otherwise.
 */
function guardAgainstOurEnd(server: ChildProcess): ChildProcess | null {
  if (process.platform === 'win32' || server.pid === undefined) return null;
  const guard = spawn('/bin/sh', ['-c', `cat > /dev/null; kill -INT ${server.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  });
  guard.unref();
  guard.stdin.on('error', () => undefined);
  (guard.stdin as unknown as { unref?(): void }).unref?.();
  server.once('close', () => guard.kill('SIGKILL'));
  return guard;
}

/** Runs a program to its end; its error output becomes the error. */
export async function runToEnd(
  program: string,
  args: string[],
  { user, cwd }: { user: OsUser; cwd: string },
): Promise<void> {
  const child = spawn(program, args, {
    ...user.ids,
    cwd,
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} failed (${code}):\n${errors}`);
}
