/** Processes of the operating system that aren't our children. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * What tells a process from a later one that got the same id: when it began. Null if there is none.
 */
export async function processBirth(pid: number): Promise<string | null> {
  if (!isAlive(pid)) return null;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat !== null) {
    // The name, in parentheses, may contain anything; the 20th field after it is the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  }
  const listed = await run('ps', ['-o', 'lstart=', '-p', `${pid}`]).catch(() => null);
  return listed?.stdout.trim() ?? null;
}

/** The command line of a process; empty if it can't be told. */
export async function commandLine(pid: number): Promise<string> {
  const cmdline = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
  if (cmdline !== null) return cmdline.replaceAll('\0', ' ');
  const listed = await run('ps', ['-o', 'command=', '-p', `${pid}`]).catch(() => null);
  return listed?.stdout ?? '';
}

/** Waits until a process that isn't our child has ended. Returns false if it still lives then. */
export async function processEnded(pid: number, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while ((await processBirth(pid)) !== null) {
    if (Date.now() > deadline) return false;
    await delay(25);
  }
  return true;
}
