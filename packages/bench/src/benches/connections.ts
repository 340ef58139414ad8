import { setTimeout as sleep } from 'node:timers/promises';
import postgres, { type Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { tokenOf } from '../lab/token.ts';
import { DatabaseCpu } from '../measure/database-cpu.ts';
import { row, type Row } from '../measure/row.ts';
import { quantile } from '../measure/statistics.ts';
import type { GatewayTasks } from '../process/gateway.worker.ts';
import type { RelayTasks } from '../process/relay.worker.ts';
import type { SubscriberTasks } from '../process/subscribers.worker.ts';
import { startWorker } from '../process/worker.ts';
import type { BenchOptions } from './benches.ts';

/** What the design allows for each joined connection, in kB. */
const ALLOWED_KB = 20;
/** Clients without `--full`, and with it. */
const SOME = 2_000;
const MANY = 10_000;
/** Within which 95 of 100 are back after a kill, in ms. */
const ALLOWED_RETURN_MS = 3_000;
/** So long is looked at how much nothing costs. */
const IDLE_MS = 5_000;
const POLL_MS = 100;
/** A server needs some files besides its sockets. */
const SPARE_FILES = 500;

const GATEWAY = new URL('../process/gateway.worker.ts', import.meta.url);
const RELAY = new URL('../process/relay.worker.ts', import.meta.url);
const CLIENTS = new URL('../process/subscribers.worker.ts', import.meta.url);

/** Connections that are joined, each on a topic of its own, and heartbeat: what they cost. */
export async function connections(lab: Lab, { full }: BenchOptions): Promise<Row[]> {
  const total = affordable(full ? MANY : SOME);
  await using database = await lab.database();
  await using parts = new AsyncDisposableStack();
  const { url, adminUrl } = database;
  const admin = parts.adopt(postgres(adminUrl, { max: 1 }), (sql) => sql.end());
  const nothing = await idleCpu(admin);
  const clients = parts.adopt(startWorker<SubscriberTasks>(CLIENTS), (one) => one.stop());

  const relay = parts.adopt(startWorker<RelayTasks>(RELAY), (one) => one.stop());
  const relayUrl = await relay.ask('open', { url, channel: 'bench' });
  const bareBytes = await grownBy(relay, total, (some) =>
    clients.ask('joinBare', { url: relayUrl, total: some }),
  );
  await clients.ask('leave');

  const gateway = parts.adopt(startWorker<GatewayTasks>(GATEWAY), (one) => one.stop());
  const { apiUrl } = await gateway.ask('open', { url, adminUrl });
  // A key that is still one after a restart.
  const address = { apiUrl, publishableKey: tokenOf(crypto.randomUUID()) };
  const bytes = await grownBy(gateway, total, (some) =>
    clients.ask('joinApart', { ...address, total: some }),
  );
  const idle = await idleCpu(admin);
  const polled = await polledCpu(admin);

  // They come back as tabs of Homeroom do, to private topics: a right is asked for each.
  const userIds = await makeUsers(database.sql, total);
  const back = clients.ask('comeBack', { ...address, userIds });
  await gateway.kill();
  const next = parts.adopt(startWorker<GatewayTasks>(GATEWAY), (one) => one.stop());
  await next.ask('open', { url, adminUrl, port: Number(new URL(apiUrl).port) });
  const listening = performance.timeOrigin + performance.now();
  const returns = (await back).map((moment) => moment - listening);
  return [
    row(
      `memory of each of ${total} joined connections, vs what is allowed`,
      'kB',
      { value: bytes / 1024, baseline: ALLOWED_KB },
      { atMost: 1 },
    ),
    row(
      `memory of each of ${total} joined connections, vs bare ws`,
      'kB',
      { value: bytes / 1024, baseline: bareBytes / 1024 },
      null,
    ),
    ...idleRows(nothing, idle, polled),
    row(
      `${total} clients back after a kill, p95, vs what is allowed`,
      'ms',
      { value: quantile(returns, 0.95), baseline: ALLOWED_RETURN_MS },
      { atMost: 1 },
    ),
  ];
}

/** As many connections as a process may have; says so if they are fewer than wanted. */
function affordable(wanted: number): number {
  const report = process.report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const limit = Number(report.userLimits?.open_files?.soft);
  // Where there is no limit it isn't a number.
  if (!(limit < wanted + SPARE_FILES)) return wanted;
  console.error(`  ${limit} open files are allowed: raise it for more (ulimit -n ${wanted * 2})`);
  return limit - SPARE_FILES;
}

/** Bytes by which a server grows for each of so many connections. */
async function grownBy(
  server: { residentBytes(): Promise<number> },
  total: number,
  connect: (total: number) => Promise<unknown>,
): Promise<number> {
  // The first ones of anything make a process grow once; that is not what a connection takes.
  const first = Math.round(total / 10);
  await connect(first);
  const before = await server.residentBytes();
  await connect(total - first);
  return ((await server.residentBytes()) - before) / (total - first);
}

/** CPU seconds of the database while nothing happens; null where they can't be told. */
async function idleCpu(admin: Sql, poll?: () => Promise<unknown>): Promise<number | null> {
  const cpu = await DatabaseCpu.of(admin);
  if (cpu === null) return null;
  const before = await cpu.seconds();
  for (let passed = 0; passed < IDLE_MS; passed += POLL_MS) {
    await Promise.all([poll?.(), sleep(POLL_MS)]);
  }
  return (await cpu.seconds()) - before;
}

/** The same while the log is asked for changes, as upstream does, at the rate of its early days. */
async function polledCpu(admin: Sql): Promise<number | null> {
  await admin`select pg_create_logical_replication_slot('bench_poll', 'pgoutput', true)`;
  const cost = await idleCpu(
    admin,
    () => admin`
      select count(*) from pg_logical_slot_get_binary_changes(
        'bench_poll', null, 100, 'proto_version', '1', 'publication_names', 'supabase_realtime')`,
  );
  await admin`select pg_drop_replication_slot('bench_poll')`;
  return cost;
}

/** None without figures. What Postgres does by itself is taken off on both sides. */
function idleRows(nothing: number | null, idle: number | null, polled: number | null): Row[] {
  if (nothing === null || idle === null || polled === null) return [];
  const perSecond = (cost: number) => (Math.max(0, cost) * 1e6) / IDLE_MS;
  return [
    row(
      `idle database, vs polling every ${POLL_MS} ms`,
      'CPU-ms/s',
      { value: perSecond(idle - nothing), baseline: perSecond(polled - idle) },
      { atMost: 0.1 },
    ),
  ];
}
