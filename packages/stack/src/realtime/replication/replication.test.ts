import { afterAll, beforeAll, expect, it } from 'vitest';
import { Inbox, Realtime, subscribed } from '../testing/realtime.ts';

let realtime: Realtime;
beforeAll(async () => {
  realtime = await Realtime.start();
});
afterAll(() => realtime[Symbol.asyncDispose]());

/** Ends the connection that reads the log, as a restart of Postgres would. */
async function cutStream(): Promise<void> {
  const { rows } = await realtime.db.query<{ cut: boolean }>(
    `select pg_terminate_backend(active_pid) as cut from pg_replication_slots
     where database = current_database() and active_pid is not null`,
  );
  expect(rows).toEqual([{ cut: true }]);
}

it('recovers when its connection is ended, and makes good for what it missed', async () => {
  const client = await realtime.client();
  const heard = new Inbox<{ event: string }>();
  await subscribed(client.channel('room').on('broadcast', { event: '*' }, heard.put));
  await realtime.send('room', 'before', {}, false);
  await heard.find();
  await cutStream();
  await realtime.send('room', 'meanwhile', {}, false);
  await heard.count(2);
  await realtime.send('room', 'after', {}, false);
  await heard.count(3);
  expect(heard.all.map(({ event }) => event)).toEqual(['before', 'meanwhile', 'after']);
});

it('keeps no slot when it stops', async () => {
  await realtime.stopServer();
  const { rows } = await realtime.db.query(
    'select 1 from pg_replication_slots where database = current_database()',
  );
  expect(rows).toEqual([]);
  await realtime.startServer();
});

it('keeps partitions for messages from yesterday to in three days', async () => {
  const { rows } = await realtime.db.query<{ days: number }>(
    `select ((now() at time zone 'utc')::date - to_date(right(relname, 10), 'YYYY_MM_DD')) as days
     from pg_inherits join pg_class on pg_class.oid = inhrelid
     where inhparent = 'realtime.messages'::regclass order by days desc`,
  );
  expect(rows.map(({ days }) => days)).toEqual([1, 0, -1, -2, -3]);
});

it('delivers bytes and large payloads whole', async () => {
  const client = await realtime.client();
  const heard = new Inbox<{ payload: ArrayBuffer | { text: string } }>();
  await subscribed(client.channel('large').on('broadcast', { event: '*' }, heard.put));
  await realtime.send('large', 'text', { text: 'é'.repeat(200_000) }, false);
  await realtime.db.query(
    `insert into realtime.messages (topic, extension, event, private, binary_payload)
     values ('large', 'broadcast', 'bytes', false, '\\x0001ff')`,
  );
  await heard.count(2);
  expect((heard.all[0]?.payload as { text: string }).text).toBe('é'.repeat(200_000));
  expect(new Uint8Array(heard.all[1]?.payload as ArrayBuffer)).toEqual(new Uint8Array([0, 1, 255]));
});
