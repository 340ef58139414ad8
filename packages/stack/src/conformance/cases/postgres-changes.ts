import type { SupabaseClient } from '@supabase/supabase-js';
import { expect, it } from 'vitest';
import { Inbox } from '../../realtime/testing/realtime.ts';
import { SCHEMA } from '../schema.ts';
import {
  type Followed,
  follow,
  freshTopic,
  joined,
  type Library,
  type Stage,
  subscribe,
} from '../stage.ts';
import { isForeign } from '../target.ts';
import { filterCases } from './filters.ts';

type Row = Record<string, unknown>;
/** A change as clients get it; of what there is no half of, that half is empty. */
export type Change = {
  eventType: 'INSERT' | 'UPDATE' | 'DELETE';
  schema: string;
  table: string;
  commit_timestamp: string;
  new: Row;
  old: Row;
  errors: string[] | null;
};
/** A binding as an app writes it. */
export type Wanted = {
  event?: string;
  schema?: string;
  table?: string;
  filter?: string;
  select?: string[];
};

/** A channel whose bindings are live; what each of them hears. */
export async function watching(
  client: SupabaseClient,
  ...wanted: Wanted[]
): Promise<Followed & { heard: Inbox<Change>[] }> {
  const heard = wanted.map(() => new Inbox<Change>());
  const followed = await joined(client, freshTopic(), {}, (channel) => {
    wanted.forEach((binding, n) => {
      const filter = { event: '*', schema: SCHEMA, ...binding } as { event: '*'; schema: string };
      channel.on('postgres_changes', filter, (change) =>
        heard[n]?.put(change as unknown as Change),
      );
    });
  });
  await live(followed);
  return { ...followed, heard };
}

/** Resolves when the server says that changes are listened to, for the nth time. */
async function live({ system }: Followed, times = 1): Promise<void> {
  const said = ({ extension, status }: { extension: string; status: string }) =>
    extension === 'postgres_changes' && status === 'ok';
  await system.find(() => system.all.filter(said).length >= times);
}

let lastId = Math.floor(Math.random() * 2 ** 29);
/** Ids that no other case has used. */
export function freshId(): number {
  lastId += 10;
  return lastId;
}

/** Changes of tables, to whom they concern. */
export function postgresChangesCases(stage: () => Stage, library: Library): void {
  const table = (name: string) => stage().sql(`${SCHEMA}.${name}`);
  const newRows = (heard: Inbox<Change> | undefined): unknown[] =>
    (heard?.all ?? []).map((change) => change.new['id']);

  it('tell of every kind of event, and of one kind only where one is asked for', async () => {
    const client = await stage().client(library);
    const { heard } = await watching(
      client,
      ...['*', 'INSERT', 'UPDATE', 'DELETE'].map((event) => ({ event, table: 'notes' })),
    );
    const id = freshId();
    const { sql } = stage();
    await sql`insert into ${table('notes')} (id, body) values (${id}, 'a')`;
    await sql`update ${table('notes')} set body = 'b' where id = ${id}`;
    await sql`delete from ${table('notes')} where id = ${id}`;
    await heard[0]?.count(3);
    const kinds = heard.map(({ all }) => all.map(({ eventType }) => eventType));
    expect(kinds).toEqual([['INSERT', 'UPDATE', 'DELETE'], ['INSERT'], ['UPDATE'], ['DELETE']]);
    expect(heard[0]?.all[0]).toMatchObject({
      ...{ schema: SCHEMA, table: 'notes', errors: null, old: {} },
      new: { id, body: 'a', amount: null, done: null, tags: null, owner: null },
      commit_timestamp: expect.stringMatching(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
      ) as string,
    });
  });

  it('flow from SUBSCRIBED on, for who waits for them', async ({ skip }) => {
    if (!library.hasBinary) return skip('it can’t wait');
    const heard = new Inbox<unknown>();
    const wanted = { event: 'INSERT', schema: SCHEMA, table: 'notes' } as const;
    const config = { postgres_changes_options: { wait: true } };
    await joined(await stage().client(library), freshTopic(), config, (channel) =>
      channel.on('postgres_changes', wanted, heard.put),
    );
    const id = freshId();
    await stage().sql`insert into ${table('notes')} (id) values (${id})`;
    expect(await heard.find()).toMatchObject({ eventType: 'INSERT', new: { id } });
  });

  it('come from all tables of a schema, and from all schemas', async () => {
    const client = await stage().client(library);
    const { heard } = await watching(client, {}, { table: '*' }, { schema: '*' });
    const [one, two] = [freshId(), freshId()];
    await stage().sql`insert into ${table('notes')} (id) values (${one})`;
    await stage().sql`insert into ${table('full_notes')} (id) values (${two})`;
    for (const inbox of heard) {
      await inbox.find((change) => change.new['id'] === two);
      expect(newRows(inbox)).toEqual([one, two]);
    }
  });

  it('carry the columns asked for, and the key', async () => {
    const client = await stage().client(library);
    const { heard } = await watching(client, { table: 'notes', select: ['body'] });
    const id = freshId();
    await stage().sql`insert into ${table('notes')} (id, body, amount) values (${id}, 'a', 1)`;
    expect((await heard[0]?.find())?.new).toEqual({ id, body: 'a' });
  });

  it('carry values as `to_jsonb` writes them', async () => {
    const client = await stage().client(library);
    const { heard } = await watching(client, { table: 'everything' });
    const id = freshId();
    const { sql } = stage();
    const [row] = await sql<{ expected: Row }[]>`
      insert into ${table('everything')} as row values (
        ${id}, 7, 9007199254740993, 12.50, 0.1, true, 'héllo "🎓" \\', 'ab', '\\x00ff',
        '5f0c1b1e-7a55-4e34-9f5c-0d9f7d9f1a01', '2025-11-03', '2025-11-03 09:32:55.123',
        '2025-11-03 09:32:55+02', '1 day 02:03', '{"a": [1, null]}', '[1, {"b": 2}]',
        '{1,2,null}', '{"a b","c,d","",null}', '{"2025-11-03 09:32:55+00"}', 'merry',
        row(1, 'a "b", \\c'), array[row(2, null)::${sql(`${SCHEMA}.place`)}], '10.0.0.1', null
      ) returning to_jsonb(row) as expected`;
    const change = await heard[0]?.find((one) => one.new['id'] === id);
    expect(change?.new).toEqual(row?.expected);
  });

  filterCases(stage, library);

  it('say so when a table isn’t published, or a filter can’t be', async () => {
    const client = await stage().client(library);
    for (const wanted of [
      { table: 'unpublished' },
      { table: 'notes', filter: 'missing=eq.1' },
      { table: 'notes', filter: 'amount=eq.many' },
      { table: 'notes', filter: 'body=almost.a' },
    ]) {
      const side = follow(client, freshTopic(), {}, (channel) =>
        channel.on(
          'postgres_changes',
          { event: '*', schema: SCHEMA, ...wanted } as { event: '*'; schema: string },
          () => undefined,
        ),
      );
      await subscribe(side);
      const said = await side.system.find();
      expect(said).toMatchObject({ extension: 'postgres_changes', status: 'error' });
    }
  });

  it('of tables without a key say that only', async () => {
    const { heard } = await watching(await stage().client(library), { table: 'keyless' });
    await stage().sql`insert into ${table('keyless')} values ('a')`;
    expect(await heard[0]?.find()).toMatchObject({
      errors: ['Error 400: Bad Request, no primary key'],
      new: {},
    });
  });

  it('say that only to who may not read the key', async () => {
    const { heard } = await watching(await stage().client(library), { table: 'hidden_key' });
    await stage().sql`insert into ${table('hidden_key')} values (${freshId()}, 'a')`;
    expect(await heard[0]?.find()).toMatchObject({ errors: ['Error 401: Unauthorized'], new: {} });
  });

  it('leave out long values where the row is too large', async () => {
    const { heard } = await watching(await stage().client(library), { table: 'notes' });
    const id = freshId();
    const body = 'x'.repeat(1_100_000);
    await stage().sql`insert into ${table('notes')} (id, body, amount) values (${id}, ${body}, 1)`;
    const change = await heard[0]?.find();
    expect(change?.errors).toEqual(['Error 413: Payload Too Large']);
    expect(change?.new).toMatchObject({ id, amount: 1 });
    expect(change?.new).not.toHaveProperty('body');
  });

  it('tell the key of an old row, or all of it with REPLICA IDENTITY FULL', async () => {
    const client = await stage().client(library);
    const { heard } = await watching(client, { table: 'notes' }, { table: 'full_notes' });
    const id = freshId();
    const { sql } = stage();
    for (const name of ['notes', 'full_notes']) {
      await sql`insert into ${table(name)} (id, body) values (${id}, 'a')`;
      await sql`update ${table(name)} set body = 'b' where id = ${id}`;
      await sql`delete from ${table(name)} where id = ${id}`;
    }
    for (const inbox of heard) await inbox.count(3);
    expect(heard[0]?.all.map((change) => change.old)).toEqual([{}, { id }, { id }]);
    expect(heard[1]?.all.map((change) => change.old)).toMatchObject([
      {},
      { id, body: 'a' },
      { id, body: 'b' },
    ]);
  });

  it('say nothing of a table that is emptied', async () => {
    const { heard } = await watching(await stage().client(library), { table: 'full_notes' });
    const id = freshId();
    await stage().sql`truncate ${table('full_notes')}`;
    await stage().sql`insert into ${table('full_notes')} (id) values (${id})`;
    await heard[0]?.find((change) => change.new['id'] === id);
    expect(heard[0]?.all).toHaveLength(1);
  });

  it('go to whom row level security shows the row', async () => {
    const { ann, bob, sql } = stage();
    const sides = await Promise.all(
      [ann, bob].map(async (user) =>
        watching(await stage().client(library, { user }), { table: 'own_notes' }),
      ),
    );
    const own = [
      [freshId(), freshId()],
      [freshId(), freshId()],
    ] as const;
    for (const n of [0, 1] as const) {
      for (const [who, user] of [ann, bob].entries()) {
        await sql`insert into ${table('own_notes')} values (${own[who]?.[n] ?? 0}, 'a', ${user.id})`;
      }
    }
    for (const [who, { heard }] of sides.entries()) {
      await heard[0]?.count(2);
      expect(newRows(heard[0])).toEqual(own[who]);
    }
  });

  it('tell everybody of a deleted row under row level security, but its key only', async () => {
    const { ann, sql } = stage();
    const side = await watching(await stage().client(library, { user: stage().bob }), {
      ...{ event: 'DELETE', table: 'own_notes' },
    });
    const id = freshId();
    await sql`insert into ${table('own_notes')} values (${id}, 'secret', ${ann.id})`;
    await sql`delete from ${table('own_notes')} where id = ${id}`;
    expect((await side.heard[0]?.find())?.old).toEqual({ id });
  });

  it('follow the newest token', async () => {
    const { ann, bob, sql } = stage();
    const client = await stage().client(library, { user: ann });
    const side = await watching(client, { table: 'own_notes' });
    await client.realtime.setAuth(bob.accessToken);
    await live(side, 2);
    const [hers, his] = [freshId(), freshId()];
    await sql`insert into ${table('own_notes')} values (${hers}, 'a', ${ann.id})`;
    await sql`insert into ${table('own_notes')} values (${his}, 'a', ${bob.id})`;
    await side.heard[0]?.find();
    expect(newRows(side.heard[0])).toEqual([his]);
  });

  it('come from tables that are published while it runs, and no longer when they aren’t', async () => {
    const { sql } = stage();
    await sql.unsafe(`
      drop table if exists ${SCHEMA}.late;
      create table ${SCHEMA}.late (id integer primary key);
      grant select on ${SCHEMA}.late to anon;`);
    const { heard } = await watching(await stage().client(library), {});
    await sql.unsafe(`alter publication supabase_realtime add table ${SCHEMA}.late`);
    const ofLate = ({ table: name }: Change): boolean => name === 'late';
    for (let n = 1; heard[0]?.all.some(ofLate) !== true; n += 1) {
      await sql`insert into ${table('late')} values (${n})`;
    }
    await sql.unsafe(`alter publication supabase_realtime drop table ${SCHEMA}.late`);
    await sql`insert into ${table('late')} values (-1)`;
    const mark = freshId();
    await sql`insert into ${table('notes')} (id) values (${mark})`;
    await heard[0]?.find((change) => change.new['id'] === mark);
    expect(newRows(heard[0])).not.toContain(-1);
  });

  it('follow the table’s columns while it runs', async () => {
    const { sql } = stage();
    const { heard } = await watching(await stage().client(library), { table: 'full_notes' });
    await sql.unsafe(`alter table ${SCHEMA}.full_notes add column mood text default 'calm'`);
    const [one, two] = [freshId(), freshId()];
    await sql`insert into ${table('full_notes')} (id) values (${one})`;
    await heard[0]?.find();
    await sql.unsafe(`alter table ${SCHEMA}.full_notes drop column mood`);
    await sql`insert into ${table('full_notes')} (id) values (${two})`;
    await heard[0]?.count(2);
    expect(heard[0]?.all.map((change) => change.new)).toMatchObject([
      { id: one, mood: 'calm' },
      { id: two },
    ]);
    expect(heard[0]?.all[1]?.new).not.toHaveProperty('mood');
  });

  it('complete large values that didn’t change from the old row, where the log has it', async () => {
    const { sql } = stage();
    const { heard } = await watching(
      await stage().client(library),
      { event: 'UPDATE', table: 'notes' },
      { event: 'UPDATE', table: 'full_notes' },
    );
    const id = freshId();
    for (const name of ['notes', 'full_notes']) {
      await sql.unsafe(`alter table ${SCHEMA}.${name} alter column body set storage external`);
      await sql`insert into ${table(name)} (id, body) values (${id}, ${'x'.repeat(20_000)})`;
      await sql`update ${table(name)} set id = -id where id = ${id}`;
    }
    const changes = await Promise.all(heard.map((inbox) => inbox.find()));
    expect(changes[0]?.new).toMatchObject({ id: -id });
    expect(changes[0]?.new).not.toHaveProperty('body');
    expect(changes[1]?.new).toMatchObject({ id: -id, body: 'x'.repeat(20_000) });
  });

  it('come whole and in order from one large transaction', async () => {
    const { heard } = await watching(await stage().client(library), { table: 'notes' });
    const first = 2 ** 30 + freshId();
    // Upstream drops what exceeds a project's rate.
    const count = isForeign ? 50 : 5_000;
    await stage().sql`
      insert into ${table('notes')} (id) select ${first}::integer + n from generate_series(1, ${count}::integer) n`;
    await heard[0]?.count(count);
    expect(newRows(heard[0])).toEqual(Array.from({ length: count }, (_, n) => first + n + 1));
    lastId += 10_000;
  });
}
