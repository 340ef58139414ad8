/** Where a cluster's files are, when the folder wished for can't be reached by Postgres' user. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isReachableBy, type OsUser, postgresUser } from './os-user.ts';

/**
 * The folder for what must be elsewhere: the first that `user` can reach, rather one that survives
 * a restart of the machine.
 */
export async function shelterFolder(user: OsUser): Promise<string> {
  const candidates = process.platform === 'win32' ? [] : ['/var/tmp'];
  for (const folder of [...candidates, tmpdir(), '/tmp']) {
    const isThere = (await stat(folder).catch(() => null)) !== null;
    if (isThere && (await isReachableBy(user, join(folder, 'x')))) return folder;
  }
  throw new Error(`No temporary folder can be reached by user ${user.name}.`);
}

/**
 * The folder for the files of the cluster: `dataDir/postgres`, or if `user` can't reach that one
 * in the shelter. A mark in both tells whether they belong together: a new folder at an old path
 * begins with new data.
 */
export async function placeData(
  dataDir: string,
  user: OsUser,
  onProgress: (message: string) => void,
): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const wished = join(resolve(dataDir), 'postgres');
  if (await isReachableBy(user, wished)) return wished;

  const { folder, isOurs, mark } = await shelteredData(dataDir, await shelterFolder(user));
  onProgress(`${dataDir} can't be reached by user ${user.name}: the data are in ${folder}`);
  if (!isOurs) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o755 });
    await writeFile(join(dataDir, MARK), mark);
    await writeFile(join(folder, MARK), mark);
  }
  return join(folder, 'postgres');
}

/** Removes what {@link placeData} may have put elsewhere. */
export async function removeShelteredData(dataDir: string): Promise<void> {
  const user = await postgresUser(() => undefined);
  const { folder, isOurs } = await shelteredData(dataDir, await shelterFolder(user));
  if (isOurs) await rm(folder, { recursive: true, force: true });
}

const MARK = 'data-mark';

async function shelteredData(dataDir: string, shelter: string) {
  const key = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 16);
  const folder = join(shelter, `local-supabase-data-${key}`);
  const marks = await Promise.all(
    [dataDir, folder].map((place) => readFile(join(place, MARK), 'utf8').catch(() => null)),
  );
  const owner = await stat(folder).catch(() => null);
  const isOurs = marks[0] !== null && marks[0] === marks[1] && owner?.uid === process.getuid?.();
  return { folder, isOurs, mark: isOurs && marks[0] ? marks[0] : randomUUID() };
}
