/** Which process works on a data folder: at most one at a time. */
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AlreadyRunningError } from './errors.ts';
import { processBirth } from './os-process.ts';

/** A folder of ours until it is let go. */
export type Ownership = { release(): Promise<void> };

const fileOf = (dataDir: string) => join(dataDir, 'owner');

/** Makes this process the folder's owner; one that has died without letting go doesn't count. */
export async function ownFolder(dataDir: string): Promise<Ownership> {
  const file = fileOf(dataDir);
  const mine = `${process.pid} ${await processBirth(process.pid)}`;
  for (;;) {
    const handle = await open(file, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return null;
      throw error;
    });
    if (handle !== null) {
      await handle.writeFile(mine);
      await handle.close();
      return { release: () => rm(file, { force: true }) };
    }
    const owner = await ownerOf(dataDir);
    if (owner !== null) throw new AlreadyRunningError(dataDir, owner);
    await rm(file, { force: true });
  }
}

/** The process that owns the folder, if it lives. */
export async function ownerOf(dataDir: string): Promise<number | null> {
  const text = await readFile(fileOf(dataDir), 'utf8').catch(() => '');
  const [, pid, birth] = /^(\d+) (.+)$/.exec(text) ?? [];
  if (pid === undefined) return null;
  // A later process with the same number isn't it.
  return (await processBirth(Number(pid))) === birth ? Number(pid) : null;
}
