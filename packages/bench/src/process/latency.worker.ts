import type { AppRouter } from '@homeroom/api';
import { createApi, TRPC_ENDPOINT, type Api } from '@homeroom/api/server';
import { createConnection, notifications, type Connection } from '@homeroom/realtime/core';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import postgres, { type ReservedSql, type Sql } from 'postgres';
import type { Place } from '../lab/lab.ts';
import { JWT_SECRET, tokenOf } from '../lab/token.ts';
import type { GatewayAddress } from './gateway.worker.ts';
import { HEARTBEAT, HEARTBEAT_MS, joinFrame, realtimeUrl } from './protocol.ts';
import { offer } from './worker.ts';

/** Where everything is that this client looks at. */
export type Setting = {
  place: Place;
  gateway: GatewayAddress;
  relayUrl: string;
  userId: string;
};

/** So many insertions a second at most, as in a school at work. */
const PAUSE_MS = 4;
/** What hasn't come by then never will. */
const LOST_MS = 10_000;

let sql: Sql | undefined;
let writer: ReservedSql | undefined;
let userId = '';
let connection: Connection | undefined;
let api: Api | undefined;
/** Called with each text in which a written title may be found. */
const arrivals = new Map<string, () => void>();
let number = 0;

function arrived(title: string): void {
  arrivals.get(title)?.();
}

/** A title in a frame: `bench 17`. */
function arrivedIn(frame: string): void {
  const [title] = /bench \d+/.exec(frame) ?? [];
  if (title) arrived(title);
}

function open(url: string, join?: string): Promise<void> {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve, reject) => {
    socket.addEventListener('error', reject);
    socket.addEventListener('open', () => {
      if (!join) return resolve();
      socket.send(join);
      setInterval(() => socket.send(HEARTBEAT), HEARTBEAT_MS);
    });
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const text = typeof data === 'string' ? data : Buffer.from(data).toString();
      // Changes of a table flow from the moment that a system message says so.
      if (join?.includes('"INSERT"') ? text.includes('Subscribed to PostgreSQL') : join) resolve();
      arrivedIn(text);
    });
  });
}

/** Milliseconds until the arrival, from the start of the write and from asking for its commit. */
export type Latency = { fromWrite: number; fromCommit: number };

/** Writes so many times, one after another. */
async function measure(
  samples: number,
  write: (sql: ReservedSql, title: string) => Promise<unknown>,
) {
  const latencies: Latency[] = [];
  const client = writer;
  if (!client) throw new Error('The setting comes first');
  for (let sample = 0; sample < samples; sample += 1) {
    const title = `bench ${(number += 1)}`;
    const writing = performance.now();
    let committing = 0;
    const arrival = new Promise<Latency>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`"${title}" never came`)), LOST_MS);
      arrivals.set(title, () => {
        clearTimeout(late);
        const now = performance.now();
        resolve({ fromWrite: now - writing, fromCommit: now - committing });
      });
    });
    await client`begin`;
    await write(client, title);
    committing = performance.now();
    const [latency] = await Promise.all([arrival, client`commit`]);
    arrivals.delete(title);
    latencies.push(latency);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return latencies;
}

/** A tab of a user's, beside a socket on the bare relay and two on plain Realtime. */
const tasks = {
  async open(setting: Setting): Promise<void> {
    userId = setting.userId;
    sql = postgres(setting.place.url, { max: 2, onnotice: () => undefined });
    writer = await sql.reserve();
    api = createApi({
      supabaseUrl: setting.gateway.apiUrl,
      publishableKey: setting.gateway.publishableKey,
      jwtSecret: JWT_SECRET,
      databaseUrl: setting.place.url,
      poolSize: 2,
      logLevel: 'silent',
    });
    connection = tab(setting.gateway, api);
    await watchNotifications(connection);
    await open(setting.relayUrl);
    await open(realtimeUrl(setting.gateway), joinFrame('bench:send'));
    await open(
      realtimeUrl(setting.gateway),
      joinFrame('bench:changes', 'payments', tokenOf(userId)),
    );
  },

  /** Commit → the store of a private, authorised, numbered topic has it. */
  store: (samples: number) =>
    measure(
      samples,
      (client, title) => client`
        insert into public.notifications (user_id, type, title, message)
        values (${userId}, 'system', ${title}, 'Something happened in a course of yours')`,
    ),

  /** Commit → the bare relay's socket has the same row. */
  relay: (samples: number) =>
    measure(
      samples,
      (client, title) => client`
        insert into bench_notifications (user_id, type, title, message)
        values (${userId}, 'system', ${title}, 'Something happened in a course of yours')`,
    ),

  /** Commit of a `realtime.send` → socket. */
  send: (samples: number) =>
    measure(
      samples,
      (client, title) => client`
        select realtime.send(jsonb_build_object('title', ${title}::text), 'told', 'bench:send', false)`,
    ),

  /** Commit of an insertion → socket that subscribed to the table's changes. */
  changes: (samples: number) =>
    measure(
      samples,
      (client, title) => client`
        insert into public.payments (user_id, amount_cents, provider_reference)
        values (${userId}, 100, ${title})`,
    ),
};

function tab(gateway: GatewayAddress, here: Api): Connection {
  const token = tokenOf(userId);
  return createConnection({
    url: gateway.apiUrl,
    apikey: gateway.publishableKey,
    userId,
    getToken: () => Promise.resolve({ token, expiresAt: Date.now() + 3_600_000, now: Date.now() }),
    api: createTRPCClient<AppRouter>({
      links: [
        httpBatchLink({
          url: `http://portal.homeroom.test${TRPC_ENDPOINT}`,
          headers: { authorization: `Bearer ${token}` },
          fetch: (url, init) => here.trpc(new Request(url, init as RequestInit), null),
        }),
      ],
    }),
  });
}

function watchNotifications(on: Connection): Promise<void> {
  return new Promise((resolve) => {
    notifications(on).subscribe(({ status, list }) => {
      if (status === 'live') resolve();
      const [newest] = list;
      if (newest) arrived(newest.title);
    });
  });
}

export type LatencyTasks = typeof tasks;

offer(tasks, async () => {
  connection?.close();
  writer?.release();
  await Promise.all([sql?.end(), api?.close()]);
});
