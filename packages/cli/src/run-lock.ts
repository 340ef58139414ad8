import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Another run of Homeroom on the same data. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
}

/**
 * Makes this process the only one that runs Homeroom on a data folder, until it is disposed or ends.
 * A lock that a dead process left behind is taken over.
 * @throws AlreadyRunningError when a living process has it.
 */
export async function acquireRunLock(dataDir: string): Promise<AsyncDisposable> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, 'homeroom.pid');
  const holder = await readHolder(path);
  if (holder !== null && holder !== process.pid && isAlive(holder)) {
    throw new AlreadyRunningError(
      `Homeroom is already running on this data (process ${holder}). Stop it with Ctrl-C where it runs, or give this one its own data with HOMEROOM_DATA=<folder> and ports of its own.`,
    );
  }
  await rm(path, { force: true });
  // `wx`: of two that start at the same moment, one fails here.
  const file = await open(path, 'wx');
  await file.writeFile(String(process.pid));
  await file.close();
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

async function readHolder(path: string): Promise<number | null> {
  try {
    const pid = Number.parseInt(await readFile(path, 'utf8'), 10);
    return Number.isNaN(pid) ? null : pid;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
