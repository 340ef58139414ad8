import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RealtimePostgresChangesFilter, SupabaseClient } from '@supabase/supabase-js';
import { RawSocket, type Frame } from '../testing/raw-socket.ts';
import { Inbox, Realtime, subscribed } from '../testing/realtime.ts';

const ANN = '11111111-1111-1111-1111-111111111111';
const BOB = '22222222-2222-2222-2222-222222222222';
const SCHEMA = `
  create table notes (
    id int primary key, owner uuid, body text, score int, secret text,
    meta jsonb, tags text[], at timestamptz
  );
  alter table notes enable row level security;
  create policy own_notes on notes for select to authenticated using (owner = (select auth.uid()));
  grant select on notes to authenticated;
  create table news (id int primary key, body text, score numeric, long text);
  alter table news alter column long set storage external;
  create table keyless (body text);
  alter table keyless replica identity full;
  create table hidden (id int primary key);
  revoke all on hidden from anon, authenticated;
  create table partly (id int primary key, open text, closed text);
  revoke all on partly from anon, authenticated;
  grant select (id, open) on partly to authenticated;
  create type mood as enum ('glad', 'sad');
  create domain grade as int;
  create table everything (
    id int primary key, big int8, real8 float8, amount numeric, yes boolean, note text,
    code char(5), mark grade, feeling mood, who uuid, doc jsonb, raw json, bytes bytea, day date,
    at timestamp, atz timestamptz, during interval, tags text[], matrix int[],
    times timestamptz[], docs jsonb[], span int4range, net inet
  );
  create table unpublished (id int primary key);
  grant select on news, keyless, everything to anon, authenticated;
  alter publication supabase_realtime add table notes, news, keyless, hidden, partly, everything;`;

type Change = {
  eventType: string;
  table: string;
  new: Record<string, unknown>;
  old: object;
  errors: unknown;
};

let realtime: Realtime;
beforeAll(async () => {
  realtime = await Realtime.start(SCHEMA);
});
afterAll(() => realtime[Symbol.asyncDispose]());

/** Subscribes and waits until the server says that changes flow. */
async function listen(
  client: SupabaseClient,
  filter: Omit<RealtimePostgresChangesFilter<'*'>, 'event' | 'schema'> & {
    event?: string;
    schema?: string;
  },
): Promise<Inbox<Change>> {
  const changes = new Inbox<Change>();
  const system = new Inbox<{ status: string; message: string }>();
  const wish = { event: '*', schema: 'public', ...filter } as RealtimePostgresChangesFilter<'*'>;
  const channel = client
    .channel(crypto.randomUUID())
    .on('system', {}, system.put)
    .on('postgres_changes', wish, (change) => changes.put(change as unknown as Change));
  await subscribed(channel);
  const { status, message } = await system.find();
  if (status !== 'ok') throw new Error(message);
  return changes;
}

describe('under row level security', () => {
  it('gives each of two users the rows that are theirs, filtered and unfiltered', async () => {
    const [ann, bob] = [await realtime.client(ANN), await realtime.client(BOB)];
    const anns = await listen(ann, { table: 'notes' });
    const bobs = await listen(bob, { table: 'notes', filter: `owner=eq.${BOB}` });
    const annsView = await listen(ann, { table: 'notes', filter: `owner=eq.${BOB}` });
    await realtime.db.query(
      `insert into notes (id, owner, body) values (1, $1, 'a'), (2, $2, 'b'), (3, $1, 'c')`,
      [ANN, BOB],
    );
    await anns.count(2);
    await bobs.count(1);
    await realtime.db.query(`update notes set body = 'changed' where id in (1, 2)`);
    await anns.count(3);
    await bobs.count(2);
    expect(anns.all.map((one) => [one.eventType, one.new.id])).toEqual([
      ['INSERT', 1],
      ['INSERT', 3],
      ['UPDATE', 1],
    ]);
    expect(anns.all[2]).toMatchObject({ new: { id: 1, body: 'changed' }, old: { id: 1 } });
    expect(bobs.all.map((one) => [one.eventType, one.new.body])).toEqual([
      ['INSERT', 'b'],
      ['UPDATE', 'changed'],
    ]);
    expect(annsView.all).toEqual([]);
  });

  it('judges a row only when its transaction can be seen, however soon the log tells of it', async () => {
    const bobs = await listen(await realtime.client(BOB), { table: 'notes', event: 'INSERT' });
    const ids = Array.from({ length: 400 }, (_, n) => 1000 + n);
    for (const id of ids) {
      await realtime.db.query('insert into notes (id, owner) values ($1, $2)', [id, BOB]);
    }
    await bobs.find((change) => change.new.id === 1399);
    expect(bobs.all.map((change) => change.new.id)).toEqual(ids);
  });

  it('tells everyone of a deletion, with the key only', async () => {
    await realtime.db.query(`insert into notes (id, owner, body) values (10, $1, 'x')`, [ANN]);
    const bobs = await listen(await realtime.client(BOB), { table: 'notes', event: 'DELETE' });
    await realtime.db.query('alter table notes replica identity full');
    await realtime.db.query('delete from notes where id = 10');
    const change = await bobs.find();
    expect(change).toMatchObject({ eventType: 'DELETE', new: {}, old: { id: 10 } });
    expect(Object.keys(change.old)).toEqual(['id']);
    await realtime.db.query('alter table notes replica identity default');
  });

  it('follows a policy that changes while subscribed', async () => {
    const bobs = await listen(await realtime.client(BOB), { table: 'notes', event: 'INSERT' });
    await realtime.db.query(
      'create policy all_notes on notes for select to authenticated using (true)',
    );
    await realtime.db.query(`insert into notes (id, owner) values (20, $1)`, [ANN]);
    await bobs.find((change) => change.new.id === 20);
    await realtime.db.query('drop policy all_notes on notes');
    await realtime.db.query(`insert into notes (id, owner) values (21, $1), (22, $2)`, [ANN, BOB]);
    await bobs.find((change) => change.new.id === 22);
    expect(bobs.all.map((change) => change.new.id)).toEqual([20, 22]);
  });

  it('judges by the new claims after a token refresh', async () => {
    const socket = await RawSocket.open(realtime.url);
    const isSystem = (frame: Frame): boolean => frame.event === 'system';
    const postgres_changes = [{ event: 'INSERT', schema: 'public', table: 'notes' }];
    await socket.join('realtime:refresh', {
      config: { postgres_changes },
      access_token: await realtime.token(ANN),
    });
    await socket.next(isSystem);
    const access_token = await realtime.token(BOB);
    socket.send('realtime:refresh', 'access_token', { access_token });
    await socket.next(isSystem);
    await realtime.db.query(`insert into notes (id, owner) values (30, $1), (31, $2)`, [ANN, BOB]);
    const change = await socket.next((frame) => frame.event === 'postgres_changes');
    expect(change.payload).toMatchObject({ data: { record: { id: 31 } } });
    socket.close();
  });

  it('hides everything from claims that make the policy fail', async () => {
    const strange = await listen(await realtime.client('not a uuid'), { table: 'notes' });
    const bobs = await listen(await realtime.client(BOB), { table: 'notes' });
    await realtime.db.query(`insert into notes (id, owner) values (40, $1)`, [BOB]);
    await bobs.find();
    expect(strange.all).toEqual([]);
  });
});

describe('filters', () => {
  it.each([
    ['score=eq.5', ['a']],
    ['score=eq.5.0', ['a']],
    ['score=gt.5,score=lt.20', ['b']],
    ['score=gte.5,body=neq.b', ['a', 'c']],
    ['score=in.(5,20)', ['a', 'c']],
    ['score=not.in.(5,20)', ['b']],
    ['body=like.%b%', ['b']],
    ['body=ilike.B', ['b']],
    ['body=match.^[ab]$', ['a', 'b']],
    ['body=not.imatch.^[AB]$', ['c', null]],
    ['body=is.null', [null]],
    ['body=not.is.null', ['a', 'b', 'c']],
    ['body=isdistinct.a', ['b', 'c', null]],
  ])('%s', async (filter, expected) => {
    const client = await realtime.client();
    const changes = await listen(client, { table: 'news', event: 'INSERT', filter });
    const last = await listen(client, { table: 'news', event: 'INSERT', filter: 'id=eq.5' });
    await realtime.db.query('delete from news');
    await realtime.db.query(
      `insert into news (id, body, score) values
         (1, 'a', 5.00), (2, 'b', 10), (3, 'c', 20), (4, null, null), (5, 'the last', -1)`,
    );
    await last.find();
    // `not` on a null is null, which is no match; except for `is` and `isdistinct`.
    const wanted = filter.startsWith('body=not.imatch') ? ['c', 'the last'] : expected;
    const bodies = changes.all.map((change) => change.new.body);
    const others = ['body=not.is.null', 'body=isdistinct.a', 'score=not.in.(5,20)'];
    expect(bodies.filter((body) => body !== 'the last' || wanted.includes(body))).toEqual(wanted);
    if (others.includes(filter)) expect(bodies).toContain('the last');
  });

  it.each([
    ['news', 'nope=eq.1', 'nope'],
    ['news', 'id=eq.x', 'invalid input syntax'],
    ['news', 'id=like.1', 'needs a text column'],
    ['news', 'body=match.(', 'invalid regular expression'],
    ['news', 'garbage', 'Error parsing `filter` params'],
    ['unpublished', 'id=eq.1', 'Please check Realtime is enabled'],
    ['partly', 'closed=eq.1', 'closed'],
  ])('of %s refuse %s, and say why', async (table, filter, reason) => {
    const client = await realtime.client(ANN);
    await expect(listen(client, { table, filter })).rejects.toThrow(reason);
  });
});

describe('what a change carries', () => {
  it('has the JSON that to_jsonb gives for every type', async () => {
    const socket = await RawSocket.open(realtime.url);
    const binding = { event: 'INSERT', schema: 'public', table: 'everything' };
    await socket.join('realtime:types', { config: { postgres_changes: [binding] } });
    await socket.next((frame) => frame.event === 'system');
    await realtime.db.query(
      `insert into everything values
        (1, 9007199254740993, 1.5, 10.500, true, $$a "quoted" \\ text, é$$, 'ab', 3, 'glad',
          '11111111-1111-1111-1111-111111111111', '{"a": [1, null]}', '{"b": 1}', '\\xdead',
          '2025-02-03', '2025-02-03 04:05:06.789', '2025-02-03 04:05:06+02', '1 day 02:00',
          array['a', 'b,c', '', null, '"q"', 'null'], array[[1, 2], [3, 4]],
          array['2025-02-03 04:05:06+00']::timestamptz[], array['{"x": 1}']::jsonb[], '[1,5)', '10.0.0.1'),
        (2, null, 'NaN', 'Infinity', false, '', null, null, null, null, 'null', '"s"', '', 'infinity',
          '-infinity', 'infinity', null, '{}', '{}', null, null, 'empty', null)`,
    );
    const { rows } = await realtime.db.query<{ json: unknown }>(
      'select to_jsonb(everything) as json from everything order by id',
    );
    for (const { json } of rows) {
      const { payload } = await socket.next((frame) => frame.event === 'postgres_changes');
      expect((payload as unknown as { data: { record: unknown } }).data.record).toEqual(json);
    }
    socket.close();
  });

  it('keeps large values that an update did not touch out, unless the identity is full', async () => {
    const changes = await listen(await realtime.client(), { table: 'news', event: 'UPDATE' });
    await realtime.db.query(`insert into news (id, long) values (100, repeat('x', 10000))`);
    await realtime.db.query(`update news set body = 'short' where id = 100`);
    await realtime.db.query('alter table news replica identity full');
    await realtime.db.query(`update news set body = 'again' where id = 100`);
    await changes.count(2);
    expect(changes.all[0]?.new).not.toHaveProperty('long', 'x'.repeat(10000));
    expect(changes.all[1]?.new).toMatchObject({ body: 'again', long: 'x'.repeat(10000) });
    expect(changes.all[1]?.old).toMatchObject({ body: 'short' });
    await realtime.db.query('alter table news replica identity default');
  });

  it('is cut to the columns asked for, and to those that the role may read', async () => {
    const ann = await realtime.client(ANN);
    const chosen = await listen(ann, { table: 'news', event: 'INSERT', select: ['body'] });
    const allowed = await listen(ann, { table: 'partly', event: 'INSERT' });
    await realtime.db.query(`insert into news (id, body, score) values (200, 'x', 1)`);
    await realtime.db.query(`insert into partly values (1, 'open', 'closed')`);
    expect((await chosen.find()).new).toEqual({ id: 200, body: 'x' });
    expect(await allowed.find()).toMatchObject({ errors: null, new: { id: 1, open: 'open' } });
  });

  it('is an error where there is no key, or no right to read it', async () => {
    const ann = await realtime.client(ANN);
    const keyless = await listen(ann, { table: 'keyless' });
    const hidden = await listen(ann, { table: 'hidden' });
    await realtime.db.query(`insert into keyless values ('x')`);
    await realtime.db.query('insert into hidden values (1)');
    expect((await keyless.find()).errors).toEqual(['Error 400: Bad Request, no primary key']);
    expect(await hidden.find()).toMatchObject({ errors: ['Error 401: Unauthorized'], new: {} });
  });

  it('loses its long values when it is too large', async () => {
    const changes = await listen(await realtime.client(), { table: 'news', event: 'INSERT' });
    await realtime.db.query(
      `insert into news (id, body, long) values (300, 'short', repeat('x', 1100000))`,
    );
    const change = await changes.find();
    expect(change.errors).toEqual(['Error 413: Payload Too Large']);
    expect(change.new).toEqual({ id: 300, body: 'short', score: null });
  });
});

it('sends one frame per channel, with the ids of all bindings that it meets', async () => {
  const socket = await RawSocket.open(realtime.url);
  const bindings = [
    { event: '*', schema: 'public', table: 'news' },
    { event: 'INSERT', schema: 'public' },
    { event: 'UPDATE', schema: 'public', table: 'news' },
    { event: 'INSERT', schema: '*', table: 'news' },
  ];
  const reply = await socket.join('realtime:ids', { config: { postgres_changes: bindings } });
  const ids = (reply.response as { postgres_changes: { id: number }[] }).postgres_changes.map(
    ({ id }) => id,
  );
  await socket.next((frame) => frame.event === 'system');
  await realtime.db.query(`insert into news (id) values (400)`);
  const isChange = (frame: Frame): boolean => frame.event === 'postgres_changes';
  const frame = await socket.next(isChange);
  expect(new Set(frame.payload?.ids as number[])).toEqual(new Set([ids[0], ids[1], ids[3]]));
  expect((await socket.settled()).filter(isChange)).toEqual([]);
  socket.close();
});

it('delivers a transaction of many rows whole and in order', async () => {
  const changes = await listen(await realtime.client(), { table: 'news', event: 'INSERT' });
  await realtime.db.query('delete from news');
  await realtime.db.query(
    `insert into news (id, body) select n, 'x' from generate_series(1, 5000) n`,
  );
  await changes.count(5000);
  expect(changes.all.map((change) => change.new.id)).toEqual(
    Array.from({ length: 5000 }, (_, n) => n + 1),
  );
});

it('follows tables that are changed, added and taken away while it runs', async () => {
  await realtime.db.query('create table later (id int primary key); grant select on later to anon');
  const client = await realtime.client();
  await expect(listen(client, { table: 'later' })).rejects.toThrow(
    'Please check Realtime is enabled',
  );
  await realtime.db.query('alter publication supabase_realtime add table later');
  const changes = await listen(client, { table: 'later' });
  await realtime.db.query('insert into later values (1)');
  await changes.count(1);
  await realtime.db.query(`alter table later add column word text default 'new'`);
  await realtime.db.query('insert into later values (2)');
  await changes.count(2);
  expect(changes.all[1]?.new).toEqual({ id: 2, word: 'new' });
  await realtime.db.query('alter publication supabase_realtime drop table later');
});
