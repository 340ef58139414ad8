import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Inbox } from '../testing/realtime.ts';
import { Rig } from './rig.ts';

/** `KILLED_CLIENTS=5000 vitest run src/realtime/robustness/killed.test.ts` takes half a minute. */
const CLIENTS = Number(process.env['KILLED_CLIENTS'] ?? 100);
const MEANWHILE = ['meanwhile 1', 'meanwhile 2', 'meanwhile 3'];

let rig: Rig;
const clients: SupabaseClient[] = [];
beforeAll(async () => {
  const sql = 'create policy everybody on realtime.messages for select to anon using (true)';
  rig = await Rig.start({ sql });
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.realtime.disconnect()));
  await rig[Symbol.asyncDispose]();
});

const send = (event: string) =>
  rig.db.query(`select realtime.send('{}', $1, 'room', true)`, [event]);

it(`loses nothing for ${CLIENTS} clients when the server is killed: all come back and catch up`, async () => {
  const since = Date.now();
  const joins = new Inbox<number>();
  const heard = new Inbox<string>();
  const hear = (client: number) => {
    const own = new Set<string>();
    return ({ event }: { event: string }) => {
      // What is replayed at the return was heard before, unless it was missed.
      if (!own.has(event)) heard.put(`${client} ${event}`);
      own.add(event);
    };
  };
  for (let n = 0; n < CLIENTS; n += 1) {
    const client = createClient(rig.url, 'sb_publishable_test', {
      auth: { persistSession: false, autoRefreshToken: false },
      realtime: { reconnectAfterMs: () => Math.random() * 1_000 },
    });
    clients.push(client);
    client
      .channel('room', { config: { private: true, broadcast: { replay: { since, limit: 25 } } } })
      .on('broadcast', { event: '*' }, hear(n))
      .subscribe((status) => {
        if (`${status}` === 'SUBSCRIBED') joins.put(n);
      });
  }
  await joins.count(CLIENTS);
  await send('before');
  await heard.count(CLIENTS);

  await rig.killServer();
  for (const event of MEANWHILE) await send(event);
  await rig.startServer();
  await joins.count(CLIENTS * 2);
  await send('after');

  const events = ['before', ...MEANWHILE, 'after'];
  const all = await heard.count(CLIENTS * events.length);
  for (const event of events) {
    expect(all.filter((one) => one.endsWith(` ${event}`))).toHaveLength(CLIENTS);
  }
}, 600_000);
