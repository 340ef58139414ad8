import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bootstrapDatabase, startPostgres, type Postgres } from '../../testing/index.ts';
import type { Claims } from '../token/verifier.ts';
import { Judge } from './judge.ts';
import { askOneByOne } from './one-by-one.ts';
import { provePolicies } from './policy-proof.ts';
import type { JudgedRow } from './row-keys.ts';
import { Tables, type Table } from './table.ts';
import { Visibility } from './visibility.ts';

const SCHEMA = `
  create table public.clubs (id int primary key, is_open boolean);
  create table public.members (user_id uuid, team int, active boolean, primary key (user_id, team));
  create table public.posts (
    id int primary key, owner uuid, team int, body text, tags text[], at timestamptz default now()
  );
  create table public.secrets (team int primary key);
  alter table public.clubs enable row level security;
  alter table public.members enable row level security;
  alter table public.posts enable row level security;
  create policy own on public.members for select to authenticated
    using (user_id = (select auth.uid()));
  create function public.my_teams() returns setof int language sql stable security definer
    set search_path = '' as 'select team from public.members where user_id = auth.uid()';
  revoke all on public.secrets from anon, authenticated;
  insert into public.members
    select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, t, n % 3 > 0
    from generate_series(1, 30) n, generate_series(1, 5) t where (n * t) % 4 = 0;
  insert into public.clubs select n, n % 2 = 0 from generate_series(1, 5) n;
  insert into public.secrets select generate_series(1, 5);
  insert into public.posts (id, owner, team, body, tags)
    select n, ('00000000-0000-0000-0000-' || lpad((n % 30)::text, 12, '0'))::uuid, n % 6,
      case n % 4 when 0 then null else 'body ' || n end, array['a', (n % 3)::text]
    from generate_series(1, 60) n;
  grant select on public.posts, public.members, public.clubs to authenticated;`;

/** Policies on posts, and whether all users can be asked at once. */
const POLICIES: [name: string, areTogether: boolean, sql: string][] = [
  ['owner', true, `create policy p on posts using (owner = auth.uid())`],
  ['owner, asked once', true, `create policy p on posts using (owner = (select auth.uid()))`],
  ['everybody', true, `create policy p on posts using (true)`],
  ['nobody', true, ''],
  ['another role', true, `create policy p on posts to anon using (true)`],
  [
    'members, who see only themselves',
    true,
    `create policy p on posts using (exists (
       select 1 from members m where m.team = posts.team and m.user_id = (select auth.uid())))`,
  ],
  [
    'everybody with a row that they see, by the rights on another table',
    true,
    `create policy p on posts using (exists (select 1 from members where members.team = posts.team))`,
  ],
  [
    'owner, or a team in a list, or by body',
    true,
    `create policy p on posts using (owner = (select auth.uid())
       or team in (select team from members where user_id = auth.uid() and active)
       or body = 'body 7 or ()')`,
  ],
  [
    'a table that nobody sees',
    true,
    `create policy p on posts using (team in (select id from clubs where is_open))`,
  ],
  [
    'several policies, some required',
    true,
    `create policy p on posts using (owner = auth.uid());
     create policy q on posts using ('a' = any(tags) and team = 2);
     create policy r on posts as restrictive using (body is not null);
     create policy s on posts as restrictive to authenticated using ((select auth.role()) = 'authenticated')`,
  ],
  [
    'a claim of their own, and time',
    true,
    `create policy p on posts using ((select auth.jwt() -> 'app_metadata' ->> 'team')::int = team
       and at > now() - interval '1 day' and coalesce(body, '') <> 'x')`,
  ],
  ['a claim that is missing', true, `create policy p on posts using (auth.email() is null)`],
  [
    'a setting',
    false,
    `create policy p on posts using (current_setting('request.jwt.claims') like '%1"%')`,
  ],
  ['the role', false, `create policy p on posts using (current_user = 'authenticated')`],
  ['a function of the app', false, `create policy p on posts using (team in (select my_teams()))`],
  [
    'a table that they may not read',
    false,
    `create policy p on posts using (team in (select team from secrets))`,
  ],
  [
    'a join',
    false,
    `create policy p on posts using (exists (
       select 1 from members m join clubs c on c.id = m.team where m.user_id = auth.uid()))`,
  ],
  [
    'itself',
    false,
    `create policy p on posts using (exists (select 1 from posts o where o.owner = auth.uid()))`,
  ],
];

const USERS: Claims[] = Array.from({ length: 32 }, (_, n) => {
  // The last but one has no team in its claims, the last a name that is no uuid.
  const sub = n === 31 ? 'nobody' : `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`;
  const claims = { role: 'authenticated', sub, ...(n < 30 && { app_metadata: { team: n % 6 } }) };
  return { role: 'authenticated', exp: Infinity, sub, json: JSON.stringify(claims) };
});
/** Those for whom `auth.uid()` doesn't fail; where it does, that hides all rows of a batch. */
const UUIDS = USERS.filter(({ sub }) => sub !== 'nobody');
const ROWS: JudgedRow[] = Array.from({ length: 62 }, (_, n) => ({ key: [String(n)], xid: 0 }));

let postgres: Postgres;
let admin: pg.Pool;
let judge: Judge;
let table: Table;
const logged: string[] = [];

beforeAll(async () => {
  postgres = await startPostgres();
  await postgres.createDatabase('policies');
  const url = postgres.adminUrl('policies');
  await bootstrapDatabase(url);
  admin = new pg.Pool({ connectionString: url });
  // Postgres may stop while they say goodbye.
  admin.on('error', () => undefined);
  await admin.query(SCHEMA);
  judge = new Judge(url, (error) => logged.push(error.message));
});
afterAll(async () => {
  await judge.close();
  await admin.end();
  await postgres.stop();
});
beforeEach(async () => {
  await admin.query(`
    drop policy if exists p on posts; drop policy if exists q on posts;
    drop policy if exists r on posts; drop policy if exists s on posts`);
  logged.length = 0;
  const { rows } = await admin.query<{ oid: number }>(
    `select 'posts'::regclass::oid::int8::float8 as oid`,
  );
  const described = await new Tables(admin).get({
    oid: rows[0]?.oid ?? 0,
    schema: 'public',
    name: 'posts',
  });
  if (described === null) throw new Error('posts is not there');
  table = described;
});

/** `row user` of all that are seen, by whichever way. */
async function seenBy(visibility: Visibility, users = USERS): Promise<string[]> {
  const seers = await visibility.visible(table, ROWS, users);
  return seers
    .flatMap(({ roles, claims }, row) =>
      users
        .filter((one) => roles.has(one.role) || claims.has(one))
        .map((one) => `${row} ${one.sub}`),
    )
    .sort();
}

/** The same, each row by itself, for every tenth. */
async function seenRowByRow(visibility: Visibility): Promise<string[]> {
  const seen: string[] = [];
  for (let row = 0; row < ROWS.length; row += 10) {
    const [seers] = await visibility.visible(table, ROWS.slice(row, row + 1), UUIDS);
    for (const one of UUIDS) {
      if (seers?.roles.has(one.role) || seers?.claims.has(one)) seen.push(`${row} ${one.sub}`);
    }
  }
  return seen.sort();
}

async function seenOneByOne(): Promise<string[]> {
  const client = await judge.connection();
  const seen = await askOneByOne(client, table, ROWS, 'authenticated', USERS);
  return seen.map(({ claims, row }) => `${row} ${claims.sub}`).sort();
}

describe('all users at once see what each of them would', () => {
  it.each(POLICIES)('%s', async (_, areTogether, sql) => {
    if (sql !== '') await admin.query(sql);
    const visibility = new Visibility(judge, (message) => logged.push(message));
    const expected = await seenOneByOne();
    expect(await seenBy(visibility)).toEqual(expected);
    expect(await seenRowByRow(visibility)).toEqual(
      expected.filter((seen) => /^\d*0 [^n]/.test(seen)),
    );
    const proof = await provePolicies(await judge.connection(), table, 'authenticated');
    expect(proof !== null).toBe(areTogether);
    expect(logged).toEqual([]);
  });
});

it('follows policies, rights and tables that change', async () => {
  const visibility = new Visibility(judge, (message) => logged.push(message));
  for (const sql of [
    `create policy p on posts using (team in (select team from members))`,
    `alter policy own on members using (active)`,
    `alter policy own on members using (user_id = (select auth.uid()))`,
    `revoke select on members from authenticated`,
    `grant select on members to authenticated`,
    `alter table members disable row level security`,
    `alter table members enable row level security`,
    `alter policy p on posts to anon`,
    `alter role authenticated bypassrls`,
    `alter role authenticated nobypassrls`,
  ]) {
    await admin.query(sql);
    expect(await seenBy(visibility), sql).toEqual(await seenOneByOne());
  }
});

it('asks one by one where the claims of one make the question fail for all', async () => {
  await admin.query(`create policy p on posts using ((auth.jwt() ->> 'sub')::uuid = owner)`);
  const visibility = new Visibility(judge, (message) => logged.push(message));
  expect(await seenBy(visibility)).toEqual(await seenOneByOne());
  const fine = USERS.slice(0, -1);
  expect(await seenBy(visibility, fine)).toHaveLength(60);
});

it('begins anew on a new connection', async () => {
  await admin.query(`create policy p on posts using (owner = (select auth.uid()))`);
  const visibility = new Visibility(judge, (message) => logged.push(message));
  const before = await seenBy(visibility);
  const client = await judge.connection();
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()));
  const { rows } = await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'realtime_policies'`,
  );
  expect(rows).toHaveLength(1);
  await ended;
  expect(await seenBy(visibility)).toEqual(before);
});
