import type { RealtimeChannel } from '@supabase/supabase-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawSocket } from '../testing/raw-socket.ts';
import { Inbox, Realtime, subscribed } from '../testing/realtime.ts';

let realtime: Realtime;
beforeAll(async () => {
  realtime = await Realtime.start(
    `create policy hear on realtime.messages for select to authenticated using (true);
     create policy appear on realtime.messages for insert to authenticated
       with check (extension = 'presence' and realtime.topic() = 'open');`,
    { idleTimeoutMs: 400, sweepIntervalMs: 50 },
  );
});
afterAll(() => realtime[Symbol.asyncDispose]());

/** A client that watches a room: every state it saw, by key and number of metas. */
async function watcher(
  topic: string,
  key: string,
): Promise<{ channel: RealtimeChannel; states: Inbox<Record<string, unknown[]>> }> {
  const client = await realtime.client(undefined, { heartbeatIntervalMs: 100 });
  const channel = client.channel(topic, { config: { presence: { key } } });
  const states = new Inbox<Record<string, unknown[]>>();
  channel.on('presence', { event: 'sync' }, () => states.put({ ...channel.presenceState() }));
  await subscribed(channel);
  return { channel, states };
}

it('shows who comes, changes and goes to everyone, one entry per connection', async () => {
  const ann = await watcher('class', 'ann');
  const bob = await watcher('class', 'bob');
  const bobsPhone = await watcher('class', 'bob');
  await ann.channel.track({ status: 'online' });
  await bob.channel.track({ status: 'online' });
  await bobsPhone.channel.track({ status: 'online' });
  await ann.states.find((state) => state.bob?.length === 2 && state.ann?.length === 1);

  await bob.channel.track({ status: 'away' });
  const changed = await ann.states.find((state) => JSON.stringify(state).includes('away'));
  expect(changed.bob).toHaveLength(2);

  await bobsPhone.channel.untrack();
  await ann.states.find((state) => state.bob?.length === 1);
  await bob.channel.unsubscribe();
  await ann.states.find((state) => Object.keys(state).join() === 'ann');
});

it('gives the full state to who comes later', async () => {
  const ann = await watcher('lobby', 'ann');
  await ann.channel.track({ n: 1 });
  const bob = await watcher('lobby', 'bob');
  const state = await bob.states.find((one) => one.ann !== undefined);
  expect(state.ann).toMatchObject([{ n: 1 }]);
});

it('takes away who closes the socket, and who falls silent', async () => {
  const ann = await watcher('hall', 'ann');
  for (const ends of ['closes', 'falls silent']) {
    const socket = await RawSocket.open(realtime.url);
    await socket.join('realtime:hall', { config: { presence: { enabled: true, key: ends } } });
    socket.send(
      'realtime:hall',
      'presence',
      { type: 'presence', event: 'track', payload: {} },
      '2',
    );
    await ann.states.find((state) => state[ends] !== undefined);
    const seen = ann.states.all.length;
    if (ends === 'closes') socket.close();
    else expect(await socket.closed).toBe(1000);
    await ann.states.find(
      (state) => ann.states.all.indexOf(state) >= seen && state[ends] === undefined,
    );
  }
});

it('refuses to show whom the policies do not let write', async () => {
  const socket = await RawSocket.open(realtime.url);
  const access_token = await realtime.token('11111111-1111-1111-1111-111111111111');
  const config = { private: true, presence: { enabled: true, key: 'me' } };
  const track = { type: 'presence', event: 'track', payload: { a: 1 } };
  for (const [topic, status] of [
    ['open', 'ok'],
    ['closed', 'error'],
  ] as const) {
    await socket.join(`realtime:${topic}`, { config, access_token }, topic);
    socket.send(`realtime:${topic}`, 'presence', track, `track ${topic}`, topic);
    const reply = await socket.next((frame) => frame.ref === `track ${topic}`);
    expect(reply.payload).toMatchObject({ status });
  }
  socket.close();
});

it('refuses a payload that is no map', async () => {
  const socket = await RawSocket.open(realtime.url);
  await socket.join('realtime:x');
  socket.send('realtime:x', 'presence', { type: 'presence', event: 'TRACK', payload: [1] }, '2');
  const reply = await socket.next((frame) => frame.ref === '2');
  expect(reply.payload?.response).toEqual({ reason: 'Presence track payload must be a map' });
  socket.close();
});
