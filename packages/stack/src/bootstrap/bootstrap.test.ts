import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Postgres, startPostgres } from '../testing/throw-away-postgres.ts';
import { bootstrapDatabase } from './bootstrap.ts';

const TEMPLATE = 'template';
let cluster: Postgres;
/** As role `postgres`, as an app's migrations. */
let sql: Sql;
let admin: Sql;
let open: Sql[] = [];
let databases = 0;

beforeAll(async () => {
  cluster = await startPostgres();
  await cluster.createDatabase(TEMPLATE);
  await bootstrapDatabase(cluster.adminUrl(TEMPLATE));
});

beforeEach(async () => {
  await Promise.all(open.map((client) => client.end()));
  databases += 1;
  const name = `copy_${databases}`;
  await cluster.createDatabase(name, TEMPLATE);
  sql = postgres(cluster.url(name), { onnotice: () => undefined });
  admin = postgres(cluster.adminUrl(name), { onnotice: () => undefined });
  open = [sql, admin];
});

afterAll(async () => {
  await Promise.all(open.map((client) => client.end()));
  await cluster.stop();
});

/** What Postgres says when the rights are missing. */
const DENIED = { code: '42501' };

describe('the role postgres', () => {
  it('is no superuser, but makes roles and databases and passes row level security', async () => {
    const [role] = await sql`
      select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication
      from pg_roles
      where rolname = current_user`;
    expect(role).toEqual({
      ...{ rolsuper: false, rolcreaterole: true, rolcreatedb: true },
      ...{ rolbypassrls: true, rolreplication: true },
    });
  });

  it('makes, changes and drops policies on realtime.messages', async () => {
    await sql`
      create policy readers on realtime.messages for select to authenticated
      using ((select realtime.topic()) = 'open')`;
    await sql`alter policy readers on realtime.messages using (true)`;
    await sql`drop policy readers on realtime.messages`;
    await sql`drop policy if exists readers on realtime.messages`;
  });

  it.each([
    'alter table realtime.messages add column mine text',
    'alter table realtime.messages disable row level security',
    'alter table realtime.messages owner to postgres',
    'alter table realtime.messages rename to mine',
    'create index on realtime.messages (topic)',
    'drop table realtime.messages',
    'drop table realtime.subscription',
    'create table realtime.mine (id integer)',
    "create or replace function realtime.topic() returns text language sql as 'select null::text'",
    'drop function realtime.topic()',
    'alter function realtime.topic() security definer',
    'alter table auth.users add column mine text',
    'alter table auth.users drop column email',
    'drop table auth.users cascade',
    'drop schema realtime cascade',
    'drop schema supabase_guard cascade',
    'drop event trigger supabase_refuse_changes',
    'alter event trigger supabase_refuse_changes disable',
    'set role supabase_realtime_admin',
    'set role supabase_auth_admin',
    'set role supabase_admin',
    'grant supabase_realtime_admin to postgres',
    'grant supabase_auth_admin to anon',
    'alter role postgres superuser',
    'set session_replication_role = replica',
    'set event_triggers = off',
  ])('may not: %s', async (statement) => {
    await expect(sql.unsafe(statement)).rejects.toMatchObject(DENIED);
  });

  it.each([
    ['insert on auth.users to anon', 'anon', 'auth.users', 'insert', false],
    [
      'all on all tables in schema auth to authenticated',
      'authenticated',
      'auth.users',
      'update',
      false,
    ],
    ['select on auth.users to authenticated', 'authenticated', 'auth.users', 'select', true],
    ['delete on realtime.messages to anon', 'anon', 'realtime.messages', 'delete', false],
    [
      'select on realtime.subscription to public',
      'authenticator',
      'realtime.subscription',
      'select',
      false,
    ],
  ])('gives what hosted lets it give: %s', async (grant, role, table, privilege, expected) => {
    const has = async (): Promise<unknown> => {
      const [row] = await sql`select has_table_privilege(${role}, ${table}, ${privilege}) as has`;
      return row?.['has'];
    };
    expect(await has()).toBe(false);
    await sql.unsafe(`grant ${grant}`);
    expect(await has()).toBe(expected);
  });

  it('takes away no rights that it did not give', async () => {
    await sql`revoke all on realtime.messages from authenticated, service_role`;
    await sql`revoke usage on schema auth from authenticated cascade`;
    const [kept] = await sql`
      select has_table_privilege('authenticated', 'realtime.messages', 'insert') as messages,
        has_schema_privilege('authenticated', 'auth', 'usage') as auth`;
    expect(kept).toEqual({ messages: true, auth: true });
  });

  it('grants rights on tables of its own as ever', async () => {
    await sql.unsafe('create table notes (id integer); revoke all on notes from anon');
    const [row] = await sql`select has_table_privilege('anon', 'notes', 'select') as has`;
    expect(row).toEqual({ has: false });
  });

  it('puts triggers on auth.users and takes them away', async () => {
    await sql.unsafe(`
      create table profiles (id uuid primary key, name text);
      create function follow() returns trigger language plpgsql security definer
        set search_path = '' as $$
        begin
          insert into public.profiles values (new.id, new.raw_user_meta_data ->> 'name');
          return new;
        end $$;
      create trigger follow after insert on auth.users for each row execute function follow();`);
    await sql`
      insert into auth.users (id, email, raw_user_meta_data)
      values (gen_random_uuid(), 'ann@school.test', ${sql.json({ name: 'Ann' })})`;
    expect(await sql`select name from profiles`).toEqual([{ name: 'Ann' }]);
    await sql`create or replace trigger follow after insert on auth.users
      for each row execute function follow()`;
    await sql`drop trigger follow on auth.users`;
    await sql`drop function follow()`;
  });

  it('publishes its tables', async () => {
    await sql.unsafe('create table notes (id integer primary key)');
    const published = () => sql`
      select tablename from pg_publication_tables where pubname = 'supabase_realtime'`;
    expect(await published()).toEqual([]);
    await sql`alter publication supabase_realtime add table notes`;
    expect(await published()).toEqual([{ tablename: 'notes' }]);
    await sql.unsafe('alter table notes replica identity full');
  });

  it('makes schemas and extensions', async () => {
    await sql`create schema private`;
    await sql`create extension if not exists pgcrypto with schema extensions`;
    await sql`create extension citext with schema extensions`;
    const [made] = await sql`
      select gen_random_uuid() is not null as uuid, crypt('a', gen_salt('bf', 4)) is not null as hash,
        uuid_generate_v4() is not null as v4`;
    expect(made).toEqual({ uuid: true, hash: true, v4: true });
  });
});

describe('the roles of requests', () => {
  it('may do everything with new tables of public, until row level security says otherwise', async () => {
    await sql.unsafe('create table notes (id integer); insert into notes values (1)');
    for (const role of ['anon', 'authenticated', 'service_role']) {
      const rows = await sql.begin(async (tx) => {
        await tx.unsafe(`set local role ${role}`);
        return tx`select * from notes`;
      });
      expect(rows).toHaveLength(1);
    }
    await sql`alter table notes enable row level security`;
    const seen = await sql.begin(async (tx) => {
      await tx`set local role authenticated`;
      return tx`select * from notes`;
    });
    expect(seen).toHaveLength(0);
  });

  it.each(['anon', 'authenticated'])('%s reaches nothing of Auth', async (role) => {
    const attempt = sql.begin(async (tx) => {
      await tx.unsafe(`set local role ${role}`);
      return tx`select * from auth.users`;
    });
    await expect(attempt).rejects.toMatchObject(DENIED);
  });

  it('are told from their claims', async () => {
    const claims = {
      sub: '5f0c1b1e-7a55-4e34-9f5c-0d9f7d9f1a01',
      role: 'authenticated',
      email: 'ann@school.test',
    };
    const [told] = await sql.begin(async (tx) => {
      await tx`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true)`;
      return tx`
        select auth.uid() as uid, auth.role() as role, auth.email() as email, auth.jwt() as jwt`;
    });
    expect(told).toEqual({
      uid: claims.sub,
      role: claims.role,
      email: claims.email,
      jwt: claims,
    });
    const [nobody] = await sql`select auth.uid() as uid, auth.jwt() as jwt`;
    expect(nobody).toEqual({ uid: null, jwt: null });
  });
});

describe('realtime', () => {
  it('sends with an id, privately unless told otherwise', async () => {
    await sql`select realtime.send('{"a": 1}', 'happened', 'room')`;
    await sql`select realtime.send('{"id": 7}', 'happened', 'room', false)`;
    const rows = await sql`
      select topic, event, extension, private, payload, id from realtime.messages
      order by private desc`;
    expect(rows).toMatchObject([
      { topic: 'room', event: 'happened', extension: 'broadcast', private: true },
      { private: false, payload: { id: 7 } },
    ]);
    expect(rows[0]?.['payload']).toEqual({ a: 1, id: rows[0]?.['id'] as string });
  });

  it('warns instead of failing when a message cannot be sent', async () => {
    await sql`select realtime.send('[1]', 'happened', 'room')`;
    await sql.begin(async (tx) => {
      await tx`set local role authenticated`;
      await tx`select realtime.send('{}', 'happened', 'room')`;
    });
    expect(await sql`select from realtime.messages`).toHaveLength(0);
  });

  it('broadcasts the change of a row', async () => {
    await sql.unsafe(`
      create table notes (id integer primary key, body text);
      create function tell() returns trigger language plpgsql security definer as $$
        begin
          perform realtime.broadcast_changes(
            'notes', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
          return null;
        end $$;
      create trigger tell after insert or update on notes for each row execute function tell();
      insert into notes values (1, 'a')`);
    const [message] = await sql`select topic, event, payload, private from realtime.messages`;
    expect(message).toMatchObject({
      ...{ topic: 'notes', event: 'INSERT', private: true },
      payload: {
        ...{ operation: 'INSERT', table: 'notes', schema: 'public', old_record: null },
        record: { id: 1, body: 'a' },
      },
    });
  });

  it('sends bytes', async () => {
    await sql`select realtime.send_binary('\\x01ff', 'happened', 'room')`;
    const [message] = await sql`select payload, binary_payload from realtime.messages`;
    expect(message).toEqual({ payload: null, binary_payload: Buffer.from([1, 255]) });
  });

  it('keeps a partition for each day from yesterday to in three days, and 72 hours of messages', async () => {
    await admin.unsafe(`
      create table realtime.messages_2001_02_03 partition of realtime.messages
      for values from ('2001-02-03') to ('2001-02-04')`);
    await sql`select realtime.maintain_messages()`;
    const rows = await sql`
      select inhrelid::regclass::text as name
      from pg_inherits where inhparent = 'realtime.messages'::regclass order by 1`;
    const day = (offset: number) =>
      new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10).replaceAll('-', '_');
    expect(rows.map((row) => row['name'] as string)).toEqual(
      [-1, 0, 1, 2, 3].map((offset) => `realtime.messages_${day(offset)}`),
    );
  });

  it('makes partitions once when many ask at the same time', async () => {
    await admin.unsafe(`drop table realtime.messages cascade`);
    await bootstrapDatabase(cluster.adminUrl(`copy_${databases}`));
    await Promise.all(Array.from({ length: 8 }, () => sql`select realtime.maintain_messages()`));
    expect(await sql`select realtime.send('{}', 'a', 'b')`).toHaveLength(1);
  });
});

it('may be repeated, and leaves what the app made', async () => {
  await sql.unsafe(`
    create policy readers on realtime.messages for select to authenticated using (true);
    create table notes (id integer primary key);
    alter publication supabase_realtime add table notes;
    insert into auth.users (id, email) values (gen_random_uuid(), 'ann@school.test')`);
  await bootstrapDatabase(cluster.adminUrl(`copy_${databases}`));
  const [kept] = await sql`
    select
      (select count(*)::integer from auth.users) as users,
      (select count(*)::integer from pg_policies where schemaname = 'realtime') as policies,
      (select count(*)::integer from pg_publication_tables where pubname = 'supabase_realtime') as published`;
  expect(kept).toEqual({ users: 1, policies: 1, published: 1 });
});
