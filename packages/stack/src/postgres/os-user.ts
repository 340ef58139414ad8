/** Postgres refuses to run as root, so there it runs as somebody else, who must reach its files. */
import { execFile } from 'node:child_process';
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Somebody whom programs can run as. */
export type OsUser = {
  name: string;
  /** What `spawn` takes; empty for ourselves. */
  ids: { uid?: number; gid?: number };
};

/**
 * Who Postgres runs as: ourselves, or if we are root the user `postgres`, made when missing, or
 * `nobody` where none can be made.
 */
export async function postgresUser(onProgress: (message: string) => void): Promise<OsUser> {
  if (process.getuid?.() !== 0) return { name: 'you', ids: {} };
  const existing = await findUser('postgres');
  if (existing !== null) return existing;
  onProgress('Postgres does not run as root: adding the system user postgres');
  const added = await run('useradd', ['--system', '--user-group', 'postgres']).catch(() => null);
  const user = await findUser(added === null ? 'nobody' : 'postgres');
  if (user === null) {
    throw new Error(
      'Postgres does not run as root, and there is no user postgres to run it as. Add one with: useradd --system postgres',
    );
  }
  return user;
}

async function findUser(name: string): Promise<OsUser | null> {
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const line = users.split('\n').find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined
    ? null
    : { name, ids: { uid: Number(uid), gid: Number(gid) } };
}

/** Whether `user` may pass through every folder above `path`. */
export async function isReachableBy({ ids }: OsUser, path: string): Promise<boolean> {
  if (ids.uid === undefined) return true;
  let folder = dirname(await realpath(path).catch(() => path));
  for (;;) {
    const found = await stat(folder).catch(() => null);
    if (found !== null) {
      const shift = found.uid === ids.uid ? 6 : found.gid === ids.gid ? 3 : 0;
      if (((found.mode >> shift) & 1) === 0) return false;
    }
    const parent = dirname(folder);
    if (parent === folder) return true;
    folder = parent;
  }
}
