import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LogEntry } from '../log.ts';
import { type Postgres, startPostgres } from '../testing/throw-away-postgres.ts';
import { type Job, startScheduler } from './scheduler.ts';

let cluster: Postgres;
let sql: Sql;

beforeAll(async () => {
  cluster = await startPostgres();
  await cluster.createDatabase('jobs');
  sql = postgres(cluster.url('jobs'), { onnotice: () => undefined });
  await sql`create table runs (who text default current_user, at timestamptz default clock_timestamp())`;
});

afterAll(async () => {
  await sql.end();
  await cluster.stop();
});

function scheduled(...jobs: Job[]) {
  const entries: LogEntry[] = [];
  const waiting: (() => void)[] = [];
  const scheduler = startScheduler(cluster.url('jobs'), jobs, (entry) => {
    entries.push(entry);
    for (const wake of waiting.splice(0)) wake();
  });
  return {
    ...scheduler,
    entries,
    nextEntry: () => new Promise<void>((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () => scheduler.stop(),
  };
}

const never = '0 0 29 2 *';

it('runs a job by its schedule, as role postgres', async () => {
  await sql`truncate runs`;
  // Six fields: every second.
  await using jobs = scheduled({
    ...{ name: 'tick', schedule: '* * * * * *', sql: 'insert into runs default values' },
  });
  await jobs.nextEntry();
  expect(jobs.entries[0]).toMatchObject({ level: 'info', part: 'jobs' });
  const [run] = await sql`select who from runs`;
  expect(run).toEqual({ who: 'postgres' });
});

it('takes seconds as pg_cron does, and logs of those only what fails', async () => {
  await sql`truncate runs`;
  await using jobs = scheduled(
    { name: 'tick', schedule: '1 seconds', sql: 'insert into runs default values' },
    { name: 'fail', schedule: '2 seconds', sql: 'select 1 / 0' },
  );
  await jobs.nextEntry();
  await jobs.nextEntry();
  expect(jobs.entries.map(({ level }) => level)).toEqual(['error', 'error']);
  const ticks = await sql`select * from runs`;
  expect(ticks.length).toBeGreaterThan(1);
});

it('never runs the same job twice at once, also from two processes', async () => {
  await sql`truncate runs`;
  const job = {
    ...{ name: 'once', schedule: never },
    // Holds until the other has been turned away.
    sql: `insert into runs default values;
          select pg_advisory_lock(77); select pg_advisory_unlock(77)`,
  };
  await using one = scheduled(job);
  await using other = scheduled(job);
  const holder = await sql.reserve();
  await holder`select pg_advisory_lock(77)`;
  const first = one.run('once');
  await waitFor(
    async () =>
      (
        await sql`select from pg_stat_activity where application_name = 'jobs' and wait_event = 'advisory'`
      ).length === 1,
  );
  await other.run('once');
  expect(other.entries.at(-1)?.message).toBe('once is running already');
  await holder`select pg_advisory_unlock(77)`;
  holder.release();
  await first;
  expect(await sql`select from runs`).toHaveLength(1);
});

it('tells failures, and goes on', async () => {
  await using jobs = scheduled(
    { name: 'broken', schedule: never, sql: 'select 1 / 0' },
    { name: 'early', schedule: never, sql: 'select private.not_there_yet()' },
    { name: 'good', schedule: never, sql: 'select 1' },
  );
  for (const name of ['broken', 'early', 'good']) await jobs.run(name);
  expect(jobs.entries.map(({ level }) => level)).toEqual(['error', 'warning', 'info']);
  expect(jobs.entries[0]?.message).toBe('broken failed: division by zero');
});

/** Asks again until it is so; the test's own timeout ends it otherwise. */
async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}
