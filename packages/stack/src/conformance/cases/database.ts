import { expect, it } from 'vitest';
import { SCHEMA } from '../schema.ts';
import { freshId, watching } from './postgres-changes.ts';
import type { Library, Stage } from '../stage.ts';

/** What SQL written for Supabase finds. */
export function databaseCases(stage: () => Stage, library: Library): void {
  it('keeps messages in partitions by day, for three days', async () => {
    const rows = await stage().sql<{ days: number }[]>`
      select to_date(right(relname, 10), 'YYYY_MM_DD') - (now() at time zone 'utc')::date as days
      from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = 'realtime.messages'::regclass and relname ~ '^messages_\\d{4}'`;
    const days = rows.map((row) => row.days);
    expect(days).toEqual(expect.arrayContaining([0, 1]));
    expect(Math.min(...days)).toBeGreaterThanOrEqual(-4);
  });

  it('has the functions, types and tables that apps and tools look for', async () => {
    const [found] = await stage().sql`
      select
        to_regprocedure('realtime.topic()') is not null as topic,
        to_regprocedure('realtime.send(jsonb,text,text,boolean)') is not null as send,
        to_regprocedure('realtime.send_binary(bytea,text,text,boolean)') is not null as send_binary,
        to_regprocedure(
          'realtime.broadcast_changes(text,text,text,text,text,record,record,text)'
        ) is not null as broadcast_changes,
        to_regclass('realtime.messages') is not null as messages,
        to_regclass('realtime.subscription') is not null as subscription,
        to_regtype('realtime.user_defined_filter') is not null as filters,
        to_regprocedure('auth.uid()') is not null as uid,
        to_regprocedure('auth.jwt()') is not null as jwt`;
    expect(Object.values(found ?? {})).toEqual(Array.from({ length: 9 }, () => true));
  });

  it('shows who is subscribed to what in `realtime.subscription`', async () => {
    const { sql, ann } = stage();
    const client = await stage().client(library, { user: ann });
    const filter = `id=in.(${freshId()},7),body=not.like.a%`;
    const side = await watching(client, { event: 'UPDATE', table: 'notes', filter });
    const rows = () => sql`
      select entity::text, claims_role::text as role, claims ->> 'sub' as sub, action_filter as action,
        (select array_agg(one.column_name || ' ' || one.op order by one.column_name)
         from unnest(filters) as one) as filters
      from realtime.subscription
      where claims ->> 'sub' = ${ann.id} and entity = ${`${SCHEMA}.notes`}::regclass`;
    // They may be written a little later, and taken away later still.
    while ((await rows()).length === 0);
    expect(await rows()).toEqual([
      {
        ...{ entity: `${SCHEMA}.notes`, role: 'authenticated', sub: ann.id, action: 'UPDATE' },
        filters: ['body like', 'id in'],
      },
    ]);
    await side.channel.unsubscribe();
    while ((await rows()).length > 0);
  });

  it('sends nothing, and fails nothing, for a role without the right to', async () => {
    const { sql } = stage();
    await sql.begin(async (transaction) => {
      await transaction`set local role authenticated`;
      await transaction`select realtime.send('{}', 'unsent', 'conformance:nowhere')`;
    });
    const rows = await sql`select from realtime.messages where event = 'unsent'`;
    expect(rows).toHaveLength(0);
  });

  it.each([
    'create table realtime.mine (id integer)',
    'alter table realtime.messages add column mine text',
    'drop table realtime.messages',
    'alter table auth.users add column mine text',
  ])('doesn’t let the app: %s', async (statement) => {
    await expect(stage().sql.unsafe(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('lets the app publish tables and take them back', async () => {
    const { sql } = stage();
    const published = () => sql`
      select from pg_publication_tables
      where pubname = 'supabase_realtime' and schemaname = ${SCHEMA} and tablename = 'unpublished'`;
    await sql.unsafe(`alter publication supabase_realtime add table ${SCHEMA}.unpublished`);
    expect(await published()).toHaveLength(1);
    await sql.unsafe(`alter publication supabase_realtime drop table ${SCHEMA}.unpublished`);
    expect(await published()).toHaveLength(0);
  });
}
