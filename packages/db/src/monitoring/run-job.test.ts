import { expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing/index.ts';

async function declare(db: TestDatabase, name: string, schedule: string, statement: string) {
  await db.sql`
    insert into private.jobs (name, schedule, statement) values (${name}, ${schedule}, ${statement})`;
}

it('records each run, and a failure without what the job had done', async () => {
  await using db = await testDatabase();
  await declare(db, 'works', '* * * * *', 'select 3');
  await declare(
    db,
    'breaks',
    '* * * * *',
    'with made as (insert into private.live_flushes default values returning 1) select 1 / 0 from made',
  );
  expect(await db.sql`select private.run_job('works') as rows`).toMatchObject([{ rows: '3' }]);
  await db.sql`select private.run_job('breaks')`;
  await db.sql`select private.run_job('breaks')`;
  const runs = await db.sql`
    select name, is_ok, row_count, repeats, error from private.job_runs order by id`;
  expect(runs).toMatchObject([
    { name: 'works', is_ok: true, row_count: '3', repeats: 1 },
    { name: 'breaks', is_ok: false, repeats: 2, error: 'division by zero (22012)' },
  ]);
  const [state] = await db.sql`select last_ok, failures from private.jobs where name = 'breaks'`;
  expect(state).toEqual({ last_ok: false, failures: '2' });
  await expect(db.sql`select private.run_job('unheard of')`).rejects.toThrow('There is no job');
});

it('leaves no row for what runs each second and is well', async () => {
  await using db = await testDatabase();
  await declare(db, 'quick', '1 seconds', 'select 0');
  const finishedAt = async () => {
    await db.sql`select private.run_job('quick')`;
    const [state] = await db.sql`select last_finished_at from private.jobs where name = 'quick'`;
    return state?.last_finished_at as string;
  };
  const first = await finishedAt();
  expect(await finishedAt()).toBe(first);
  await db.sql`update private.jobs set statement = 'select 1' where name = 'quick'`;
  expect(await finishedAt()).not.toBe(first);
  expect(await db.sql`select from private.job_runs`).toHaveLength(0);
});

it('never runs a job twice at once', async () => {
  await using db = await testDatabase();
  await declare(db, 'works', '* * * * *', 'select 1');
  await db.sql.begin(async (tx) => {
    await tx`select private.run_job('works')`;
    expect(await db.sql`select private.run_job('works') as rows`).toMatchObject([{ rows: null }]);
  });
  expect(await db.sql`select from private.job_runs`).toHaveLength(1);
});

it('adds up what portals count in a minute', async () => {
  await using db = await testDatabase();
  const figures = (calls: number, buckets: number[], tabs: number) =>
    JSON.stringify({
      ...{ calls, failed_calls: 0, call_buckets: buckets, tabs, live_tabs: tabs, opened: 1 },
      ...{ failed: 0, lost: 0, recovered: 0, messages: 0, screen_buckets: [], live_seconds: 0 },
      ...{ still_seconds: 0, live_actions: 0, still_actions: 0, browser_errors: 0 },
    });
  await db.sql.begin(async (tx) => {
    await tx`select private.add_monitoring('student', ${figures(2, [], 5)}::text::jsonb)`;
    await tx`select private.add_monitoring('student', ${figures(3, [1, 2], 4)}::text::jsonb)`;
    await tx`select private.add_monitoring('student', ${figures(1, [1, 0, 7], 1)}::text::jsonb)`;
  });
  const [sum] = await db.sql`
    select sum(calls)::integer as calls, max(tabs)::integer as tabs, max(call_buckets) as buckets
    from private.monitoring_minutes`;
  expect(sum).toMatchObject({ calls: 6, tabs: 5 });
});
