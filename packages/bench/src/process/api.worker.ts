import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createApi, TRPC_ENDPOINT, type Api } from '@homeroom/api/server';
import postgres, { type Sql } from 'postgres';
import { JWT_SECRET, userOf } from '../lab/token.ts';
import { offer } from './worker.ts';

/** More calls a minute than a benchmark makes. */
const NO_LIMIT = 1_000_000_000;
const POOL_SIZE = 10;

let api: Api | undefined;
let sql: Sql | undefined;

/** Both endpoints behind the same adapter, so that it weighs on neither. */
async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const request = new Request(`http://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method,
    headers: incoming.headers as Record<string, string>,
    body: incoming.method === 'POST' ? await buffer(incoming) : null,
  });
  const response = request.url.includes(TRPC_ENDPOINT)
    ? await api?.trpc(request, null)
    : await bare(request);
  outgoing.writeHead(response?.status ?? 500, Object.fromEntries(response?.headers ?? []));
  outgoing.end(await response?.text());
}

/**
 * The least with which one may answer: the token checked, the user's claims set, the same query as
 * `notifications.list` under the same policies, JSON.
 */
async function bare(request: Request): Promise<Response> {
  if (!sql) throw new Error('Open first');
  const userId = userOf(request.headers.get('authorization')?.slice('Bearer '.length) ?? '');
  const claims = JSON.stringify({ sub: userId, role: 'authenticated' });
  const rows = await sql.begin('isolation level repeatable read read only', (tx) =>
    Promise.all([
      tx`
        select
          set_config('role', 'authenticated', true),
          set_config('request.jwt.claims', ${claims}, true),
          set_config('statement_timeout', '10000', true)`,
      tx`
        select
          coalesce((
            select jsonb_agg(
              private.notification_json(notification)
              order by notification.listed_at desc, notification.id desc
            )
            from (
              select *
              from public.notifications as notification
              where notification.user_id = ${userId}::uuid and notification.box = 'inbox'
              order by notification.listed_at desc, notification.id desc
              limit 21
            ) as notification
          ), '[]') as "items",
          (
            select count(*)::integer
            from public.notifications
            where user_id = ${userId}::uuid and box = 'inbox' and read_at is null
          ) as "unreadCount",
          private.live_cursor(${`user:${userId}`})::integer as "seq"`,
    ]),
  );
  return Response.json(rows[1][0]);
}

const server = createServer((incoming, outgoing) => {
  answer(incoming, outgoing).catch((error: Error) => outgoing.writeHead(500).end(error.stack));
});

/** The API on a port, beside an endpoint without it. */
const tasks = {
  async open({ url }: { url: string }): Promise<string> {
    api = createApi({
      supabaseUrl: 'http://127.0.0.1:1',
      publishableKey: 'unused',
      jwtSecret: JWT_SECRET,
      databaseUrl: url,
      poolSize: POOL_SIZE,
      logLevel: 'silent',
      rateLimits: { query: NO_LIMIT, mutation: NO_LIMIT },
    });
    sql = postgres(url, { max: POOL_SIZE, onnotice: () => undefined });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  },
};

export type ApiTasks = typeof tasks;

offer(tasks, async () => {
  server.closeAllConnections();
  await Promise.all([api?.close(), sql?.end()]);
});
