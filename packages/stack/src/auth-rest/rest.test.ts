import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { type TestProject, testProject } from '../testing/test-project.ts';

const ANN = '5f0c1b1e-7a55-4e34-9f5c-0d9f7d9f1a01';
const BEN = '5f0c1b1e-7a55-4e34-9f5c-0d9f7d9f1a02';
let project: TestProject;

beforeAll(async () => {
  project = await testProject(`
    create table courses (id integer primary key, title text);
    create table notes (
      id integer generated always as identity primary key,
      user_id uuid not null default auth.uid(),
      course_id integer references courses,
      body text
    );
    alter table notes enable row level security;
    create policy own on notes to authenticated
      using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
    insert into courses values (1, 'Knots');
    insert into notes (user_id, course_id, body)
      values ('${ANN}', 1, 'of Ann'), ('${BEN}', 1, 'of Ben');

    create table salaries (amount integer);
    alter table salaries enable row level security;
    revoke all on salaries from anon, authenticated;

    create schema private;
    create table private.secrets (id integer);
    create function who() returns text language sql stable as 'select current_user::text';
    create function secret_work() returns integer language sql as 'select 1';
    revoke execute on function secret_work() from public, anon, authenticated;`);
});

afterAll(() => project[Symbol.asyncDispose]());

async function as(user: string, expiresInSeconds?: number): Promise<SupabaseClient> {
  const token = await project.token({ sub: user }, expiresInSeconds);
  return createClient(project.gateway.apiUrl, project.gateway.publishableKey, {
    accessToken: () => Promise.resolve(token),
  });
}

it('shows everybody their own rows only, in reads and embeds', async () => {
  const ann = await as(ANN);
  expect((await ann.from('notes').select('body')).data).toEqual([{ body: 'of Ann' }]);
  const { data } = await ann.from('courses').select('title, notes(body)');
  expect(data).toEqual([{ title: 'Knots', notes: [{ body: 'of Ann' }] }]);
  expect((await project.client().from('notes').select()).data).toEqual([]);
});

it('lets nobody write rows of others', async () => {
  const ann = await as(ANN);
  const forged = await ann.from('notes').insert({ user_id: BEN, body: 'forged' });
  expect(forged.error?.code).toBe('42501');
  await ann.from('notes').update({ body: 'changed' }).eq('user_id', BEN);
  await ann.from('notes').delete().eq('user_id', BEN);
  expect(await project.sql`select body from notes where user_id = ${BEN}`).toEqual([
    { body: 'of Ben' },
  ]);
  const own = await ann.from('notes').insert({ body: 'mine' }).select('user_id').single();
  expect(own.data).toEqual({ user_id: ANN });
});

it('passes row level security with the secret key', async () => {
  const server = project.client(project.gateway.secretKey);
  const { count } = await server.from('notes').select('*', { count: 'exact', head: true });
  expect(count).toBeGreaterThanOrEqual(2);
});

it('runs functions as the role of the request', async () => {
  expect((await (await as(ANN)).rpc('who')).data).toBe('authenticated');
  expect((await project.client().rpc('who')).data).toBe('anon');
  expect((await project.client(project.gateway.secretKey).rpc('who')).data).toBe('service_role');
  expect((await (await as(ANN)).rpc('secret_work')).error?.code).toBe('42501');
});

it('leaves grants as the app made them', async () => {
  const ann = await as(ANN);
  await ann.from('notes').select();
  expect((await ann.from('salaries').select()).error?.code).toBe('42501');
  const grants = await project.sql`
    select grantee from information_schema.role_table_grants
    where table_name = 'salaries' and grantee in ('anon', 'authenticated')`;
  expect(grants).toEqual([]);
  const [auth] = await project.sql`
    select has_table_privilege('authenticated', 'auth.users', 'select') as granted`;
  expect(auth).toEqual({ granted: false });
});

it.each(['private', 'auth', 'realtime'])('does not show the schema %s', async (schema) => {
  const { error } = await project
    .client(project.gateway.secretKey)
    .schema(schema)
    .from('secrets')
    .select();
  expect(error?.code).toBe('PGRST106');
});

it('knows tables and columns as soon as they are made', async () => {
  const server = project.client(project.gateway.secretKey);
  expect((await server.from('rooms').select()).error?.code).toBe('PGRST205');
  await project.sql.unsafe('create table rooms (id integer)');
  expect((await server.from('rooms').select()).data).toEqual([]);
});

it('refuses tokens that are expired, forged or for a role that is no one of requests', async () => {
  const expired = await (await as(ANN, -10)).from('notes').select();
  expect(expired).toMatchObject({ status: 401, error: { code: 'PGRST303' } });

  const ask = (headers: Record<string, string>) =>
    fetch(`${project.gateway.apiUrl}/rest/v1/notes`, { headers });
  const apikey = project.gateway.publishableKey;
  const token = await project.token({ sub: ANN });
  const forged = `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(43)}`;
  expect((await ask({ apikey, authorization: `Bearer ${forged}` })).status).toBe(401);
  for (const role of ['postgres', 'supabase_admin', 'supabase_auth_admin', 'pg_read_all_data']) {
    const risen = await project.token({ sub: ANN, role });
    expect((await ask({ apikey, authorization: `Bearer ${risen}` })).status).toBeGreaterThan(399);
  }
});

it('answers nobody without an API key, and no browser with the secret one', async () => {
  const url = `${project.gateway.apiUrl}/rest/v1/notes`;
  expect((await fetch(url)).status).toBe(401);
  expect((await fetch(url, { headers: { apikey: 'sb_publishable_wrong' } })).status).toBe(401);
  const browser = { apikey: project.gateway.secretKey, 'user-agent': 'Mozilla/5.0 (X11)' };
  expect((await fetch(url, { headers: browser })).status).toBe(401);
});

it('says when the API is asked in the wrong way', async () => {
  const { error } = await project
    .client(project.gateway.secretKey)
    .from('notes')
    .select('no_such_column');
  expect(error?.code).toBe('42703');
});
