import { createApi } from '@homeroom/api/server';
import type { Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeCourses, makeUsers } from '../lab/people.ts';
import { JWT_SECRET, tokenOf } from '../lab/token.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median, quantile } from '../measure/statistics.ts';
import type { GatewayTasks } from '../process/gateway.worker.ts';
import type { SubscriberTasks } from '../process/subscribers.worker.ts';
import { startWorker } from '../process/worker.ts';
import { checkIns } from './check-ins.ts';

const READERS = 1_000;
/** Messages of a round, written by four at a time. */
const MESSAGES = 80;
/** Messages of a round, one after another: each has been seen by all before the next. */
const SEEN = 20;
const LONG = 100_000;
const SHORT = 100;
const CALLS = 40;
const CROWD = 10_000;
const FEW = 100;
/** Seconds in each of which a tenth of the people come and go. */
const SECONDS = 5;

/** Discussions, presence and attendance: many readers, long threads, crowds, check-ins. */
export async function together(lab: Lab): Promise<Row[]> {
  return [
    ...(await readers(lab)),
    ...(await pages(lab)),
    ...(await crowds(lab)),
    ...(await checkIns(lab)),
  ];
}

async function readers(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const { sql, url, adminUrl } = database;
  const people = await makeUsers(sql, READERS);
  const busy = await makeThread(sql, people);
  const quiet = await makeThread(sql, people.slice(0, 1));
  const gateway = startWorker<GatewayTasks>(
    new URL('../process/gateway.worker.ts', import.meta.url),
  );
  const watching = startWorker<SubscriberTasks>(
    new URL('../process/subscribers.worker.ts', import.meta.url),
  );
  try {
    const address = await gateway.ask('open', { url, adminUrl });
    await watching.ask('joinAs', { ...address, topic: `thread:${busy}`, userIds: people });
    const write = (thread: string) => sql`
      insert into public.thread_messages (thread_id, sender_id, content)
      values (${thread}, ${people[0] ?? ''}, 'What one writes, and a thousand others read at once.')`;
    const writeAll = async (thread: string) => {
      const began = performance.now();
      const one = async (): Promise<void> => {
        for (let at = 0; at < MESSAGES / 4; at += 1) await write(thread);
      };
      await Promise.all([one(), one(), one(), one()]);
      return began;
    };
    const { seen, unseen } = await inTurns({
      async seen() {
        await watching.ask('expect', READERS * MESSAGES);
        const began = performance.timeOrigin + (await writeAll(busy));
        return MESSAGES / (((await watching.ask('received')) - began) / 1000);
      },
      async unseen() {
        const began = await writeAll(quiet);
        return MESSAGES / ((performance.now() - began) / 1000);
      },
    });
    const times = await inTurns({
      async seen() {
        const samples: number[] = [];
        for (let at = 0; at < SEEN; at += 1) {
          await watching.ask('expect', READERS);
          const began = performance.timeOrigin + performance.now();
          await write(busy);
          samples.push((await watching.ask('received')) - began);
        }
        return quantile(samples, 0.5);
      },
      async written() {
        const samples: number[] = [];
        for (let at = 0; at < SEEN; at += 1) {
          const began = performance.now();
          await write(quiet);
          samples.push(performance.now() - began);
        }
        return quantile(samples, 0.5);
      },
    });
    return [
      row(
        `messages through one thread, seen by ${READERS} readers (baseline: by none)`,
        'messages/s',
        { value: median(seen), baseline: median(unseen) },
        null,
      ),
      row(
        `send → the last of ${READERS} readers has it, p50 (baseline: → committed)`,
        'ms',
        { value: median(times.seen), baseline: median(times.written) },
        null,
      ),
    ];
  } finally {
    await Promise.all([watching.stop(), gateway.stop()]);
  }
}

async function pages(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const { sql, url } = database;
  const people = await makeUsers(sql, 20);
  const fill = async (count: number) => {
    const thread = await makeThread(sql, people);
    await sql.begin(async (tx) => {
      await tx`select set_config('homeroom.quiet', 'on', true)`;
      // Numbered here, as the trigger would: one by one it takes minutes.
      await tx`alter table public.thread_messages disable trigger user`;
      await tx`
        insert into public.thread_messages (thread_id, sender_id, number, content, created_at)
        select ${thread}, (${people}::uuid[])[1 + number % 20], number, 'Message ' || number,
          now() - (${count} - number) * interval '1 second'
        from generate_series(1, ${count}::integer) as number`;
      await tx`alter table public.thread_messages enable trigger user`;
      await tx`
        update public.discussion_threads set last_number = ${count} where id = ${thread}`;
    });
    return thread;
  };
  const long = await fill(LONG);
  const short = await fill(SHORT);
  await sql`vacuum analyze public.thread_messages`;
  const api = createApi({
    ...{ supabaseUrl: 'http://127.0.0.1:1', publishableKey: 'unused', jwtSecret: JWT_SECRET },
    ...{ databaseUrl: url, poolSize: 2, logLevel: 'silent' as const },
    rateLimits: { query: 1_000_000_000, mutation: 1_000_000_000 },
  });
  try {
    const caller = api.caller(await api.verifyToken(tokenOf(people[0] ?? '')));
    const time = async (threadId: string, around?: number) => {
      const samples: number[] = [];
      for (let call = 0; call < CALLS; call += 1) {
        const began = performance.now();
        await caller.discussions.messages({ threadId, around, limit: 50 });
        samples.push(performance.now() - began);
      }
      return median(samples);
    };
    const times = await inTurns({
      long: () => time(long),
      middle: () => time(long, LONG / 2),
      short: () => time(short),
    });
    const baseline = median(times.short);
    const among = `of ${LONG.toLocaleString('en')} messages (baseline: of ${SHORT})`;
    return [
      row(`first page ${among}`, 'ms', { value: median(times.long), baseline }, { atMost: 1.5 }),
      row(
        `a page in the middle ${among}`,
        'ms',
        { value: median(times.middle), baseline },
        {
          atMost: 1.5,
        },
      ),
    ];
  } finally {
    await api.close();
  }
}

/** What is told to each client of a course in a second, while a tenth of those who are there move. */
async function crowds(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const { sql } = database;
  const people = await makeUsers(sql, CROWD);
  const [many = '', some = ''] = await makeCourses(sql, 2);
  const told = async (course: string, count: number) => {
    const topic = `course:${course}`;
    await sql`
      insert into private.presence_leases (topic, user_id, status, seen_at, online_at)
      select ${topic}, person, 'online', now(), now()
      from unnest(${people.slice(0, count)}::uuid[]) as person
      on conflict do nothing`;
    for (let second = 0; second < SECONDS; second += 1) {
      await sql`
        select private.tell_presence(${topic}, person, 'away')
        from unnest(${people.slice(0, count / 10)}::uuid[]) as person`;
      await sql`select private.tell_crowds()`;
    }
    const [row] = await sql<{ bytes: number; events: number }[]>`
      select sum(octet_length(payload::text))::integer as bytes, count(*)::integer as events
      from private.live_events where topic = ${topic}`;
    return { bytes: (row?.bytes ?? 0) / SECONDS, events: (row?.events ?? 0) / SECONDS };
  };
  const crowd = await told(many, CROWD);
  const few = await told(some, FEW);
  const among = `${CROWD.toLocaleString('en')} people are there (baseline: ${FEW})`;
  return [
    row(
      `presence told to each client while ${among}`,
      'events/s',
      { value: crowd.events, baseline: few.events },
      { atMost: 1 },
    ),
    row(
      `the same in payload, ${among}`,
      'bytes/s',
      { value: crowd.bytes, baseline: few.bytes },
      { atMost: 1 },
    ),
  ];
}

/** A thread in a course of its own that some people take. */
async function makeThread(sql: Sql, people: readonly string[]): Promise<string> {
  const [{ id: course } = { id: '' }] = await sql<{ id: string }[]>`
    insert into public.courses (slug, title, status)
    values ('course-' || gen_random_uuid(), 'A course', 'published') returning id`;
  await sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`
      insert into public.enrollments (course_id, user_id)
      select ${course}, person from unnest(${[...people]}::uuid[]) as person`;
  });
  const [{ id } = { id: '' }] = await sql<{ id: string }[]>`
    insert into public.discussion_threads (course_id, title)
    values (${course}, 'A thread') returning id`;
  return id;
}
