import { afterAll, beforeAll, expect, it } from 'vitest';
import { Inbox, Realtime, subscribed } from '../testing/realtime.ts';
import { InvalidTtl, readPersist } from './persist.ts';

const ANN = '11111111-1111-1111-1111-111111111111';
const POLICIES = `
  create policy hear on realtime.messages for select to authenticated using (true);
  create policy speak on realtime.messages for insert to authenticated
    with check (extension = 'broadcast' and realtime.topic() <> 'read-only');
  create policy keep on realtime.messages for insert to authenticated
    with check (extension = 'persistence' and realtime.topic() like 'kept:%');`;

let realtime: Realtime;
beforeAll(async () => {
  realtime = await Realtime.start(POLICIES);
});
afterAll(() => realtime[Symbol.asyncDispose]());

type Heard = { event: string; payload: unknown; meta?: { id: string; replayed?: boolean } };

/** A channel of Ann's, and what it hears. */
async function listening(topic: string, broadcast: Record<string, unknown> = {}) {
  const client = await realtime.client(ANN);
  const heard = new Inbox<Heard>();
  const channel = client.channel(topic, { config: { private: true, broadcast } });
  channel.on('broadcast', { event: '*' }, (message) =>
    heard.put({ payload: undefined, ...message }),
  );
  await subscribed(channel);
  return { channel, heard };
}

const replaying = (topic: string) => listening(topic, { replay: { since: 0 } });
const stored = async (topic: string) => {
  const { rows } = await realtime.db.query<{ event: string; seconds: string }>(
    `select event, round(extract(epoch from expires_at - inserted_at)) as seconds
     from realtime.messages where topic = $1 order by inserted_at`,
    [topic],
  );
  return rows;
};

it('keeps what its sender asks for, tells it once, and replays it', async () => {
  const topic = 'kept:room';
  const listener = await listening(topic);
  const sender = await listening(topic, { ack: true, self: true });
  const send = (event: string, payload: unknown, persist?: boolean | { ttl: number }) =>
    sender.channel.send({ type: 'broadcast', event, payload, ...(persist ? { persist } : {}) });
  expect(await send('json', { n: 1 }, true)).toBe('ok');
  expect(await send('bytes', new Uint8Array([0, 255]).buffer, { ttl: 60 })).toBe('ok');
  expect(await send('passing', {})).toBe('ok');
  await realtime.send(topic, 'mark', {});
  for (const { heard } of [listener, sender]) {
    await heard.find(({ event }) => event === 'mark');
    expect(heard.all.map(({ event }) => event)).toEqual(['json', 'bytes', 'passing', 'mark']);
  }
  const late = await replaying(topic);
  await late.heard.count(3);
  expect(late.heard.all).toMatchObject([
    { event: 'json', payload: { n: 1 }, meta: { replayed: true } },
    { event: 'bytes', payload: new Uint8Array([0, 255]).buffer },
    { event: 'mark' },
  ]);
  expect(await stored(topic)).toMatchObject([
    { event: 'json', seconds: '259200' },
    { event: 'bytes', seconds: '60' },
    { event: 'mark', seconds: null },
  ]);
});

it('keeps nothing without the right to it, and tells it all the same', async () => {
  const { channel, heard } = await listening('passing', { ack: true, self: true });
  const sent = { type: 'broadcast', event: 'e', payload: {}, persist: true } as const;
  expect(await channel.send(sent)).toBe('ok');
  await heard.count(1);
  expect(await stored('passing')).toEqual([]);
});

it('says why it refuses', async () => {
  const sent = { type: 'broadcast', event: 'e', payload: {}, persist: true } as const;
  const { channel } = await listening('read-only', { ack: true });
  expect(await channel.send(sent)).toBe('unauthorized');
  const kept = await listening('kept:refused', { ack: true, self: true });
  const tooLong = { ...sent, persist: { ttl: 259_201 } };
  expect(await kept.channel.send(tooLong)).toBe('invalid_persist_ttl');
  await kept.channel.send({ ...sent, event: 'mark' });
  await kept.heard.count(1);
  expect(kept.heard.all.map(({ event }) => event)).toEqual(['mark']);
});

it('keeps what comes over HTTP, and forgets it at its time', async () => {
  const { channel, heard } = await listening('kept:http');
  expect(await channel.httpSend('one', { n: 1 }, { persist: true })).toEqual({ success: true });
  expect(await channel.httpSend('two', { n: 2 }, { persist: { ttl: 60 } })).toEqual({
    success: true,
  });
  await heard.count(2);
  await expect(channel.httpSend('three', {}, { persist: { ttl: 0 } })).rejects.toThrow();
  expect(await stored('kept:http')).toMatchObject([{ seconds: '259200' }, { seconds: '60' }]);
  await realtime.db.query(
    `update realtime.messages set expires_at = timezone('utc', now()) where event = 'two'`,
  );
  const late = await replaying('kept:http');
  await realtime.send('kept:http', 'mark', {});
  await late.heard.find(({ event }) => event === 'mark');
  expect(late.heard.all.map(({ event }) => event)).toEqual(['one', 'mark']);
});

it('is for private channels only', async () => {
  const response = await fetch(`${realtime.url}/api/broadcast/room/events/e?persist=true`, {
    method: 'POST',
    headers: { apikey: 'sb_publishable_test', 'content-type': 'application/json' },
    body: '{}',
  });
  expect(response.status).toBe(422);
  expect(await response.json()).toEqual({
    errors: { persist: ['can only be used on private channels'] },
  });
});

it('reads what clients ask for', () => {
  expect([undefined, null, false, 'false'].map(readPersist)).toEqual([null, null, null, null]);
  const max = { ttlSeconds: 259_200 };
  expect([true, 'true', {}, { ttl: null }].map(readPersist)).toEqual([max, max, max, max]);
  expect([{ ttl: 5 }, { ttl: '5' }].map(readPersist)).toEqual([
    { ttlSeconds: 5 },
    { ttlSeconds: 5 },
  ]);
  for (const bad of [0, -1, 1.5, 259_201, '', '5s', []].map((ttl) => ({ ttl }))) {
    expect(() => readPersist(bad)).toThrow(InvalidTtl);
  }
  for (const bad of [1, 'yes', []]) expect(() => readPersist(bad)).toThrow(InvalidTtl);
});
