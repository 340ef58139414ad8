import postgres, { type Sql } from 'postgres';
import type { Lab } from '../lab/lab.ts';
import { makeUsers } from '../lab/people.ts';
import { DatabaseCpu } from '../measure/database-cpu.ts';
import { row, type Row } from '../measure/row.ts';
import { inTurns, median } from '../measure/statistics.ts';
import type { GatewayTasks } from '../process/gateway.worker.ts';
import type { SubscriberTasks } from '../process/subscribers.worker.ts';
import { startWorker } from '../process/worker.ts';

const FEW = 100;
const SUBSCRIBERS = 1_000;
const MANY = 3_000;
/** Each user is in one of so many teams, and sees its posts: a tenth of all. */
const TEAMS = 10;
/** And in a small team, of so many; their numbers begin here. */
const SMALL_TEAM = 10;
const FIRST_SMALL_TEAM = 100;
/** Changes of a round, one after another: each has arrived everywhere before the next. */
const CHANGES = 60;
/** CPU time varies less than time on the clock: fewer rounds than elsewhere. */
const ROUNDS = 3;
/** Fewer for the baseline, which takes so much longer. */
const BASELINE_CHANGES = 10;

const GATEWAY = new URL('../process/gateway.worker.ts', import.meta.url);
const CLIENTS = new URL('../process/subscribers.worker.ts', import.meta.url);

/** Changes of a table under row level security, to many users who each see a tenth of them. */
export async function changes(lab: Lab): Promise<Row[]> {
  await using database = await lab.database();
  const { sql, url, adminUrl } = database;
  await using admin = adminConnection(adminUrl);
  const cpu = await DatabaseCpu.of(admin.sql);
  if (cpu === null) {
    console.error('  skipped: without /proc the CPU time of Postgres cannot be told');
    return [];
  }
  await sql.unsafe(TABLES);
  const users = await makeUsers(sql, MANY);
  await sql`
    insert into bench_members (user_id, team)
    select user_id, team
    from unnest(${users}::uuid[]) with ordinality as given (user_id, number),
      unnest(array[number % ${TEAMS}, ${FIRST_SMALL_TEAM} + (number - 1) / ${SMALL_TEAM}]) as team`;
  await sql.unsafe('analyze bench_members');
  await admin.sql.unsafe(UPSTREAM);

  /** CPU seconds of the database for each change that `make` makes. */
  const costOf = async (times: number, make: () => Promise<void>): Promise<number> => {
    const before = await cpu.seconds();
    for (let time = 0; time < times; time += 1) await make();
    return ((await cpu.seconds()) - before) / times;
  };
  let id = 0;
  const insert = async (firstTeam = 0): Promise<number> => {
    id += 1;
    const team = firstTeam + (id % TEAMS);
    await sql`insert into bench_posts (id, team, body) values (${id}, ${team}, ${BODY})`;
    return id;
  };
  const insertOnly = () => costOf(CHANGES, async () => void (await insert()));
  /** One audience at a time: another gateway would read the log as well. */
  const withAudience = async (userIds: string[]) => {
    await using parts = new AsyncDisposableStack();
    const gateway = parts.adopt(startWorker<GatewayTasks>(GATEWAY), (one) => one.stop());
    const clients = parts.adopt(startWorker<SubscriberTasks>(CLIENTS), (one) => one.stop());
    const address = await gateway.ask('open', { url, adminUrl });
    await clients.ask('joinChanges', { ...address, table: 'bench_posts', userIds });
    const told = (firstTeam: number, viewers: number) => () =>
      costOf(CHANGES, async () => {
        await clients.ask('expect', viewers);
        await insert(firstTeam);
        await clients.ask('received');
      });
    const costs = await inTurns(
      {
        toTenth: told(0, userIds.length / TEAMS),
        toTen: told(FIRST_SMALL_TEAM, SMALL_TEAM),
      },
      ROUNDS,
    );
    return { toTenth: median(costs.toTenth), toTen: median(costs.toTen) };
  };

  const { plain, upstream } = await inTurns({
    plain: insertOnly,
    upstream: () =>
      costOf(BASELINE_CHANGES, async () => {
        const post = await insert();
        await admin.sql`select bench_apply_rls(${post}, ${users.slice(0, SUBSCRIBERS)}::uuid[])`;
      }),
  });
  const few = await withAudience(users.slice(0, FEW));
  const thousand = await withAudience(users.slice(0, SUBSCRIBERS));
  const many = await withAudience(users);
  const ms = (seconds: number) => seconds * 1_000;
  // What a change costs without anybody who hears of it is nobody's price of telling it.
  const telling = (whole: number) => ms(Math.max(0, whole - median(plain)));
  return [
    row(
      `change to a tenth of ${SUBSCRIBERS} users, vs a query for each`,
      'database CPU-ms',
      { value: telling(thousand.toTenth), baseline: telling(median(upstream)) },
      { atMost: 1 / 50 },
    ),
    row(
      `change to ${SMALL_TEAM} of ${MANY} users, vs to ${SMALL_TEAM} of ${FEW}`,
      'database CPU-ms',
      { value: ms(many.toTen), baseline: ms(few.toTen) },
      { atMost: 1.2 },
    ),
    row(
      `change to ${MANY / TEAMS} of ${MANY} users, vs to ${FEW / TEAMS} of ${FEW}`,
      'database CPU-ms',
      { value: ms(many.toTenth), baseline: ms(few.toTenth) },
      null,
    ),
  ];
}

const BODY = 'Something happened in a course of yours';

function adminConnection(url: string): AsyncDisposable & { sql: Sql } {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  return { sql, [Symbol.asyncDispose]: () => sql.end() };
}

const TABLES = `
  create table bench_members (user_id uuid, team integer, primary key (user_id, team));
  create index on bench_members (team, user_id);
  create table bench_posts (id integer primary key, team integer not null, body text not null);
  alter table bench_members enable row level security;
  alter table bench_posts enable row level security;
  create policy "members see themselves" on bench_members for select to authenticated
    using (user_id = (select auth.uid()));
  create policy "teams see their posts" on bench_posts for select to authenticated
    using (exists (
      select 1 from bench_members as member
      where member.team = bench_posts.team and member.user_id = (select auth.uid())
    ));
  grant select on bench_members, bench_posts to authenticated;
  alter publication supabase_realtime add table bench_posts`;

/**
 * What upstream's `realtime.apply_rls` does for each subscriber: the claims set, a prepared query
 * for the row under the policies. Its filters, columns and payload are left out, in its favour.
 */
const UPSTREAM = `
  create function bench_apply_rls(post integer, users uuid[]) returns integer
  language plpgsql as $$
  declare
    person uuid;
    sees boolean;
    seen integer := 0;
  begin
    execute format(
      'prepare walrus_rls_stmt as select exists (select 1 from public.bench_posts where id = %s)', post);
    foreach person in array users loop
      perform set_config('role', 'authenticated', true),
        set_config('request.jwt.claims', json_build_object('sub', person, 'role', 'authenticated')::text, true);
      execute 'execute walrus_rls_stmt' into sees;
      seen := seen + sees::integer;
    end loop;
    perform set_config('role', null, true);
    deallocate walrus_rls_stmt;
    return seen;
  end;
  $$`;
