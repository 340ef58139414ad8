/** A Postgres cluster in a folder: made when missing, started, stopped. */
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Binaries, reachableBinaries } from './binaries.ts';
import { AlreadyRunningError, PortTakenError } from './errors.ts';
import { freePort } from './free-port.ts';
import { commandLine, isAlive, processEnded } from './os-process.ts';
import { type OsUser, postgresUser } from './os-user.ts';
import { ownFolder } from './owner.ts';
import { placeData, shelterFolder } from './place.ts';
import { runToEnd, type ServerProcess, startServer } from './server-process.ts';

/** How a cluster is opened. */
export type ClusterOptions = {
  /** Folder of its own; if Postgres can't reach it, the data are elsewhere, and onProgress says where. */
  dataDir: string;
  /** 0 for a free one. */
  port: number;
  /** Nothing is written safely: faster, and lost when the machine fails. For tests. */
  isThrowAway?: boolean;
  settings?: Record<string, string>;
  onProgress?(message: string): void;
  onLine?(line: string): void;
};

/** A running cluster. */
export type Cluster = {
  port: number;
  pid: number;
  /** Connection string of the superuser `supabase_admin`. */
  adminUrl(database: string): string;
  /** Connection string of a role that has the local password. */
  urlAs(role: string, database: string): string;
  /** Resolves when the server has ended, by whatever cause. */
  ended: Promise<void>;
  stop(): Promise<void>;
};

/** Of every login on this machine-only server, as with `supabase start`. */
const LOCAL_PASSWORD = 'postgres';

/** Only over TCP, only from this machine, in UTC, with a log that Realtime can read. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  timezone: 'UTC',
  log_timezone: 'UTC',
  wal_level: 'logical',
  max_connections: '400',
  max_wal_senders: '64',
  max_replication_slots: '64',
  // A slot that nobody reads must not fill the disk.
  max_slot_wal_keep_size: '1GB',
  shared_buffers: '128MB',
  password_encryption: 'scram-sha-256',
};

/** Written to its configuration, so that `alter system` can make even such a cluster durable. */
const throwAwayFlags = ['fsync', 'full_page_writes'].map((setting) => `--set=${setting}=off`);

/**
 * Opens the cluster of a folder.
 * @throws AlreadyRunningError, PortTakenError
 */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  await mkdir(options.dataDir, { recursive: true });
  await using started = new AsyncDisposableStack();
  const ownership = await ownFolder(options.dataDir);
  started.defer(() => ownership.release());
  const { port, server } = await startInOwnFolder(options);
  started.defer(() => server.stop());
  const running = started.move();

  const urlAs = (role: string, database: string) =>
    `postgres://${role}:${LOCAL_PASSWORD}@127.0.0.1:${port}/${database}`;
  return {
    port,
    pid: server.pid,
    urlAs,
    adminUrl: (database) => urlAs('supabase_admin', database),
    ended: server.ended,
    stop: () => running.disposeAsync(),
  };
}

async function startInOwnFolder(
  options: ClusterOptions,
): Promise<{ port: number; server: ServerProcess }> {
  const { isThrowAway = false, onProgress = () => undefined } = options;
  const user = await postgresUser(onProgress);
  const dataDir = await placeData(options.dataDir, user, onProgress);
  const binaries = await reachableBinaries(user, () => shelterFolder(user), onProgress);
  await clearPostmaster(dataDir);
  await initialize({ dataDir, user, binaries, isThrowAway, onProgress });
  return startOnPort(options.port, (port) =>
    startServer({
      ...{ binaries, user, dataDir, port },
      settings: { ...SETTINGS, ...options.settings },
      onLine: options.onLine ?? (() => undefined),
    }),
  );
}

async function startOnPort(
  port: number,
  start: (port: number) => Promise<ServerProcess>,
): Promise<{ port: number; server: ServerProcess }> {
  if (port !== 0) return { port, server: await start(port) };
  for (let attempt = 1; ; attempt += 1) {
    const chosen = await freePort();
    try {
      return { port: chosen, server: await start(chosen) };
    } catch (error) {
      // Somebody took it in the moment between.
      if (!(error instanceof PortTakenError) || attempt === 5) throw error;
    }
  }
}

/**
 * Looks at `postmaster.pid`, in a folder that is ours now: a server that outlived its owner is
 * stopped; the file of one that is gone is removed, also if another process has its number.
 */
async function clearPostmaster(dataDir: string): Promise<void> {
  const file = join(dataDir, 'postmaster.pid');
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return;
  const isServer = isAlive(pid) && (await commandLine(pid)).includes(dataDir);
  if (!isServer) {
    await rm(file, { force: true });
    return;
  }
  process.kill(pid, 'SIGINT');
  if (!(await processEnded(pid, 20_000))) throw new AlreadyRunningError(dataDir, pid);
}

type Initialization = {
  dataDir: string;
  user: OsUser;
  binaries: Binaries;
  isThrowAway: boolean;
  onProgress(message: string): void;
};

async function initialize(options: Initialization): Promise<void> {
  const { dataDir, user, binaries, isThrowAway, onProgress } = options;
  if ((await readFile(join(dataDir, 'initialized'), 'utf8').catch(() => null)) !== null) return;

  onProgress('Making a new database');
  // What an interrupted first start left is of no use.
  await rm(dataDir, { recursive: true, force: true });
  await mkdir(dataDir, { recursive: true });
  await chmod(dataDir, 0o700);
  const passwordFile = `${dataDir}.password`;
  await writeFile(passwordFile, LOCAL_PASSWORD);
  await giveTo(user, dataDir, passwordFile);
  try {
    const args = [
      `--pgdata=${dataDir}`,
      '--username=supabase_admin',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      // Texts sort as on hosted Supabase.
      '--locale-provider=icu',
      '--icu-locale=en-US',
      ...(isThrowAway ? ['--no-sync', ...throwAwayFlags] : []),
    ];
    await runToEnd(binaries.initdb, args, { user, cwd: dirname(dataDir) });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await writeFile(join(dataDir, 'initialized'), '');
}

async function giveTo({ ids }: OsUser, ...paths: string[]): Promise<void> {
  if (ids.uid === undefined || ids.gid === undefined) return;
  for (const path of paths) await chown(path, ids.uid, ids.gid);
}
