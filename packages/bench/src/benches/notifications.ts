import { createApi, type Api } from '@homeroom/api/server';
import type { Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { JWT_SECRET, tokenOf } from '../lab/token.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';

/** The user's own, in both databases. */
const OWN = 10_000;
const SMALL = 10_000;
const LARGE = 1_000_000;
const LARGE_FULL = 10_000_000;
const OTHERS = 2000;
const CALLS = 60;

/** The first page and the unread count, where there are many notifications and where there are few. */
export async function notifications(lab: Lab, { full }: { full: boolean }): Promise<Row[]> {
  const total = full ? LARGE_FULL : LARGE;
  await using small = await lab.database();
  await using large = await lab.database();
  const here = await open(small.sql, small.url, SMALL);
  const there = await open(large.sql, large.url, total);
  try {
    const times = await inTurns({
      list: () => there.time((caller) => caller.notifications.list({ limit: 20 })),
      listSmall: () => here.time((caller) => caller.notifications.list({ limit: 20 })),
      unread: () => there.time((caller) => caller.notifications.unreadCount()),
      unreadSmall: () => here.time((caller) => caller.notifications.unreadCount()),
    });
    const among = `${OWN.toLocaleString('en')} of ${total.toLocaleString('en')}`;
    return [
      row(
        `first page of notifications, ${among}`,
        'ms',
        { value: median(times.list), baseline: median(times.listSmall) },
        { atMost: 1.5 },
      ),
      row(
        `unread count, ${among}`,
        'ms',
        { value: median(times.unread), baseline: median(times.unreadSmall) },
        { atMost: 1.5 },
      ),
    ];
  } finally {
    await Promise.all([here.api.close(), there.api.close()]);
  }
}

async function open(sql: Sql, url: string, total: number) {
  const [userId = ''] = await makeUsers(sql, 1);
  await fill(sql, userId, total);
  const api = createApi({
    supabaseUrl: 'http://127.0.0.1:1',
    publishableKey: 'unused',
    jwtSecret: JWT_SECRET,
    databaseUrl: url,
    poolSize: 2,
    logLevel: 'silent',
    rateLimits: { query: 1_000_000_000, mutation: 1_000_000_000 },
  });
  const caller = api.caller(await api.verifyToken(tokenOf(userId)));
  return {
    api,
    time: (call: (to: ReturnType<Api['caller']>) => Promise<unknown>) => time(() => call(caller)),
  };
}

async function time(call: () => Promise<unknown>): Promise<number> {
  const samples: number[] = [];
  for (let number = 0; number < CALLS; number += 1) {
    const began = performance.now();
    await call();
    samples.push(performance.now() - began);
  }
  return median(samples);
}

/** The user's own between those of others, as they come in over a year; a tenth is unread. */
async function fill(sql: Sql, userId: string, total: number): Promise<void> {
  const others = await makeUsers(sql, OTHERS, 'other');
  await sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`
      insert into public.notifications (user_id, type, title, message, created_at, read_at)
      select
        case
          when number % ${total / OWN}::integer = 0 then ${userId}::uuid
          else (${others}::uuid[])[1 + number % ${OTHERS}::integer]
        end,
        'system', 'Notification ' || number, 'Something happened in a course of yours',
        now() - number * (interval '1 year' / ${total}::integer),
        case when number / ${total / OWN}::integer % 10 > 0 then now() end
      from generate_series(1, ${total}::integer) as number`;
  });
  await sql`vacuum analyze public.notifications`;
}
