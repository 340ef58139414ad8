/** The local Supabase: Postgres, Auth, REST, Realtime, mail and jobs of one data folder. */
import { join } from 'node:path';
import { bootstrapDatabase, createRoles } from './bootstrap/bootstrap.ts';
import { type Project, type ProjectSettings, startProject } from './gateway/project.ts';
import { type Job, startScheduler } from './jobs/scheduler.ts';
import { type Keys, keysOf } from './keys/keys.ts';
import type { Log, LogEntry } from './log.ts';
import type { RealtimeMetrics } from './realtime/index.ts';
import { type Cluster, openCluster } from './postgres/cluster.ts';
import { forgetStatus, writeStatus } from './status.ts';

/** How a stack is started. */
export type StackOptions = ProjectSettings & {
  /** Postgres' data, keys and mails live under it. */
  dataDir: string;
  /** 54321 unless told otherwise; 0 for a free one. */
  apiPort?: number;
  /** 54322 unless told otherwise; 0 for a free one. */
  dbPort?: number;
  /** What runs on a schedule, as role `postgres`. */
  jobs?: readonly Job[];
  /**
   * Brings the database up to date before anything else uses it: migrations and seeds neither meet
   * the jobs nor anybody's questions. `dbUrl` is that of the stack.
   */
  prepare?(dbUrl: string): Promise<void>;
  /** What happens while it starts, in sentences. */
  onProgress?(message: string): void;
  /** What happens while it runs. */
  onLog?(entry: LogEntry): void;
};

/** A stack that runs; `await using` stops it at the end of the block. */
export type Stack = AsyncDisposable & {
  /** `http://127.0.0.1:54321`: Auth, REST, Realtime. */
  apiUrl: string;
  /** As role `postgres`: no superuser, but past row level security. */
  dbUrl: string;
  publishableKey: string;
  secretKey: string;
  /** Secret of HS256 access tokens. */
  jwtSecret: string;
  /** The mails that were caught: a page; JSON at `/api/messages` below it. */
  mailUrl: string;
  /** Takes mails that an app sends, for the page: `smtp://127.0.0.1:…`, another port each time. */
  smtpUrl: string;
  /** Cuts all sockets and refuses new ones: what an app does without Realtime. */
  stopRealtime(): Promise<void>;
  startRealtime(): Promise<void>;
  /** What Realtime is doing and has done; null while it is stopped. */
  realtimeMetrics(): Promise<RealtimeMetrics | null>;
  /** Stops everything, those that use something before it. May be called twice. */
  stop(): Promise<void>;
};

/** The database of the stack. */
const DATABASE = 'postgres';

/** What any stack does, whatever its app: see bootstrap/realtime.sql. */
const OWN_JOBS: Job[] = [
  {
    name: 'maintain-realtime-messages',
    schedule: '7 * * * *',
    sql: 'select realtime.maintain_messages()',
  },
];

/**
 * Starts the stack of a folder; what is there from before stays. It doesn't listen to signals:
 * whoever starts it stops it.
 * @throws AlreadyRunningError, PortTakenError: each says what to do
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dataDir, onProgress = () => undefined, onLog: log = () => undefined } = options;
  await using started = new AsyncDisposableStack();

  onProgress('Starting Postgres');
  const cluster = await openCluster({
    ...{ dataDir, port: options.dbPort ?? 54322, onProgress },
    onLine: (line) => logPostgres(line, log),
  });
  started.defer(() => cluster.stop());
  const keys = await keysOf(dataDir);
  await bootstrapCluster(cluster);
  const dbUrl = cluster.urlAs('postgres', DATABASE);
  await options.prepare?.(dbUrl);

  onProgress('Starting Auth, REST and Realtime');
  const project = await openProject(cluster, keys, options, log);
  started.defer(() => project.stop());
  const scheduler = startScheduler(dbUrl, [...OWN_JOBS, ...(options.jobs ?? [])], log);
  started.defer(() => scheduler.stop());

  const { apiUrl, mailUrl, smtpUrl } = project;
  await writeStatus(dataDir, { apiUrl, dbUrl, ...keys, mailUrl, pid: process.pid });
  started.defer(() => forgetStatus(dataDir));
  const running = started.move();
  tellUnexpectedEnd(cluster, running, log);
  return {
    ...{ apiUrl, dbUrl, ...keys, mailUrl, smtpUrl },
    stopRealtime: () => project.stopRealtime(),
    startRealtime: () => project.startRealtime(),
    realtimeMetrics: () => project.realtimeMetrics(),
    stop: () => running.disposeAsync(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function bootstrapCluster(cluster: Cluster): Promise<void> {
  const adminUrl = cluster.adminUrl(DATABASE);
  await createRoles(adminUrl);
  await bootstrapDatabase(adminUrl);
}

function openProject(
  cluster: Cluster,
  keys: Keys,
  options: StackOptions,
  log: Log,
): Promise<Project> {
  return startProject(
    {
      ...{ keys, log, port: options.apiPort ?? 54321 },
      dbUrl: cluster.urlAs('postgres', DATABASE),
      adminUrl: cluster.adminUrl(DATABASE),
      mailFile: join(options.dataDir, 'mail.json'),
    },
    options,
  );
}

/** Of what Postgres says, what isn't the daily refusal of a statement. */
function logPostgres(line: string, log: Log): void {
  if (/\b(PANIC|FATAL):/.test(line)) log({ level: 'warning', part: 'postgres', message: line });
}

function tellUnexpectedEnd(cluster: Cluster, running: AsyncDisposableStack, log: Log): void {
  void cluster.ended.then(() => {
    if (running.disposed) return;
    log({ level: 'error', part: 'postgres', message: 'Postgres ended. Start the stack again.' });
  });
}
