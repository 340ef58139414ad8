/** What the suite makes in a project's database, and takes away again. */
import type { Sql } from 'postgres';

/** A schema of its own, so that nothing of the project's is touched. */
export const SCHEMA = 'realtime_conformance';
/** Topics of the suite begin so; its policies concern no others. */
export const TOPIC = 'conformance';

const TABLES = `
  create schema ${SCHEMA};
  grant usage on schema ${SCHEMA} to anon, authenticated, service_role;

  create table ${SCHEMA}.notes (
    id integer primary key,
    body text,
    amount numeric,
    done boolean,
    tags text[],
    owner uuid
  );
  create table ${SCHEMA}.full_notes (id integer primary key, body text);
  alter table ${SCHEMA}.full_notes replica identity full;
  create table ${SCHEMA}.keyless (body text);
  alter table ${SCHEMA}.keyless replica identity full;
  create table ${SCHEMA}.hidden_key (id integer primary key, body text);
  create table ${SCHEMA}.own_notes (id integer primary key, body text, owner uuid);
  alter table ${SCHEMA}.own_notes enable row level security;
  alter table ${SCHEMA}.own_notes replica identity full;
  create policy own on ${SCHEMA}.own_notes for select to authenticated
    using (owner = (select auth.uid()));
  create table ${SCHEMA}.members (person uuid primary key);
  create table ${SCHEMA}.unpublished (id integer primary key, body text);
  create type ${SCHEMA}.mood as enum ('calm', 'merry');
  create type ${SCHEMA}.place as (x integer, label text);
  create table ${SCHEMA}.everything (
    id bigint primary key,
    small smallint, big bigint, exact numeric, rough double precision,
    flag boolean, words text, fixed char(5), blob bytea, key uuid,
    day date, at timestamp, at_zone timestamptz, span interval,
    doc jsonb, plain json, numbers integer[], names text[], whens timestamptz[],
    mood ${SCHEMA}.mood, place ${SCHEMA}.place, places ${SCHEMA}.place[], address inet, missing text
  );
  grant select, insert, update, delete on all tables in schema ${SCHEMA}
    to anon, authenticated, service_role;
  revoke select on ${SCHEMA}.hidden_key from anon;
  grant select (body) on ${SCHEMA}.hidden_key to anon;
  alter publication supabase_realtime add table
    ${SCHEMA}.notes, ${SCHEMA}.full_notes, ${SCHEMA}.keyless, ${SCHEMA}.hidden_key,
    ${SCHEMA}.own_notes, ${SCHEMA}.everything;

  create function ${SCHEMA}.tell() returns trigger
  language plpgsql security definer set search_path = '' as $$
  begin
    perform realtime.broadcast_changes(
      '${TOPIC}:changes', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
    return null;
  end $$;
  create table ${SCHEMA}.told (id integer primary key, body text);
  create trigger tell after insert or update or delete on ${SCHEMA}.told
    for each row execute function ${SCHEMA}.tell();`;

/**
 * `conformance:open` for all; `conformance:own:<uid>` for its user; `conformance:members` for who is in
 * the table; read or write alone by name.
 */
const POLICIES = `
  create policy "${TOPIC} read" on realtime.messages for select to authenticated using (
    (select realtime.topic()) in ('${TOPIC}:open', '${TOPIC}:read', '${TOPIC}:changes')
    or (select realtime.topic()) = '${TOPIC}:own:' || (select auth.uid())::text
    or ((select realtime.topic()) = '${TOPIC}:deaf' and extension = 'presence')
    or ((select realtime.topic()) = '${TOPIC}:claim' and (select auth.jwt() ->> 'room') = 'open')
    or ((select realtime.topic()) = '${TOPIC}:members' and exists (
      select 1 from ${SCHEMA}.members where person = (select auth.uid())
    ))
  );
  create policy "${TOPIC} write" on realtime.messages for insert to authenticated with check (
    (select realtime.topic()) = '${TOPIC}:open'
    or (select realtime.topic()) = '${TOPIC}:own:' || (select auth.uid())::text
    or ((select realtime.topic()) = '${TOPIC}:read' and extension = 'presence')
  );`;

/** Makes everything, after what an earlier run may have left. */
export async function createSchema(sql: Sql): Promise<void> {
  await dropSchema(sql);
  await sql.unsafe(TABLES);
  await sql.unsafe(POLICIES);
}

/** Takes everything away. */
export async function dropSchema(sql: Sql): Promise<void> {
  await sql.unsafe(`
    drop policy if exists "${TOPIC} read" on realtime.messages;
    drop policy if exists "${TOPIC} write" on realtime.messages;
    drop schema if exists ${SCHEMA} cascade;`);
}
