import type { Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { tokenOf } from '../lab/token.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';
import type { ApiTasks } from '../process/api.worker.ts';
import { startWorker } from '../process/worker.ts';

const CALLS = 150;
const BATCHES = 40;
const NOTIFICATIONS = 200;

/** A tRPC query beside a bare endpoint with the same SQL, and ten at once beside ten. */
export async function api(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const [userId = ''] = await makeUsers(database.sql, 1);
  await makeNotifications(database.sql, userId);
  const server = startWorker<ApiTasks>(new URL('../process/api.worker.ts', import.meta.url));
  try {
    const base = await server.ask('open', { url: database.url });
    const get = getter(base, tokenOf(userId));
    const list = `/api/trpc/notifications.list?input=${encodeURIComponent('{"limit":20}')}`;
    const unread = '/api/trpc/notifications.unreadCount';
    const ten = `/api/trpc/${Array(10).fill('notifications.unreadCount').join(',')}?batch=1`;
    const times = await inTurns({
      trpc: () => timeOf(CALLS, () => get(list)),
      bare: () => timeOf(CALLS, () => get('/bare')),
      batch: () => timeOf(BATCHES, () => get(ten)),
      oneByOne: () =>
        timeOf(BATCHES, async () => {
          for (let call = 0; call < 10; call += 1) await get(unread);
        }),
      allAtOnce: () =>
        timeOf(BATCHES, () => Promise.all(Array.from({ length: 10 }, () => get(unread)))),
    });
    const value = median(times.batch);
    return [
      row(
        'tRPC query vs bare endpoint, p50',
        'ms',
        { value: median(times.trpc), baseline: median(times.bare) },
        { atMost: 1.25 },
      ),
      row(
        'batch of 10 vs ten calls, p50',
        'ms',
        { value, baseline: median(times.oneByOne) },
        { atMost: 0.4 },
      ),
      row(
        'batch of 10 vs ten calls at the same time, p50',
        'ms',
        { value, baseline: median(times.allAtOnce) },
        null,
      ),
    ];
  } finally {
    await server.stop();
  }
}

function getter(base: string, token: string) {
  return async (path: string): Promise<void> => {
    const response = await fetch(base + path, { headers: { authorization: `Bearer ${token}` } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  };
}

/** The median of so many, one after another, ms. */
async function timeOf(times: number, work: () => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const began = performance.now();
    await work();
    samples.push(performance.now() - began);
  }
  return median(samples);
}

async function makeNotifications(sql: Sql, userId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`
      insert into public.notifications (user_id, type, title, message, created_at, read_at)
      select
        ${userId}, 'system', 'Notification ' || number, 'Something happened in a course of yours',
        now() - number * interval '1 hour',
        case when number > 30 then now() end
      from generate_series(1, ${NOTIFICATIONS}::integer) as number`;
  });
  await sql`vacuum analyze public.notifications`;
}
