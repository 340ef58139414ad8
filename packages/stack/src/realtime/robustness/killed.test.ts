import { createClient, type SupabaseClient } from '@supabase/supabase-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Inbox } from '../testing/realtime.ts';
import { Rig } from './rig.ts';

const CLIENTS = process.env['ROBUSTNESS'] === 'long' ? 2_000 : 100;

let rig: Rig;
const clients: SupabaseClient[] = [];
beforeAll(async () => {
  rig = await Rig.start();
});
afterAll(async () => {
  for (const client of clients) await client.realtime.disconnect();
  await rig[Symbol.asyncDispose]();
});

it(`brings ${CLIENTS} clients back by themselves when the server is killed`, async () => {
  const joins = new Inbox<number>();
  const heard = new Inbox<number>();
  for (let n = 0; n < CLIENTS; n += 1) {
    const client = createClient(rig.url, 'sb_publishable_test', {
      realtime: { reconnectAfterMs: () => Math.random() * 1_000 },
    });
    clients.push(client);
    client
      .channel('room')
      .on('broadcast', { event: 'after' }, () => heard.put(n))
      .subscribe((status) => {
        if (`${status}` === 'SUBSCRIBED') joins.put(n);
      });
  }
  await joins.count(CLIENTS);
  await rig.killServer();
  await rig.startServer();
  await joins.count(CLIENTS * 2);
  await rig.db.query(`select realtime.send('{}', 'after', 'room', false)`);
  await heard.count(CLIENTS);
  expect(new Set(heard.all).size).toBe(CLIENTS);
}, 120_000);
