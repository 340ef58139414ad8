import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawSocket } from '../testing/raw-socket.ts';
import { Inbox, Realtime, subscribed } from '../testing/realtime.ts';

let realtime: Realtime;
beforeAll(async () => {
  realtime = await Realtime.start('', {
    frameBytes: 100_000,
    bufferedBytes: 1_000_000,
    channelsPerConnection: 3,
    payloadBytes: 50_000,
  });
});
afterAll(() => realtime[Symbol.asyncDispose]());

describe('the handshake', () => {
  it.each([
    ['without a key', '2.0.0', '', '401'],
    ['with an unknown key', '2.0.0', 'sb_publishable_other', '401'],
    ['with an unknown version', '3.0.0', 'sb_publishable_test', '403'],
  ])('is refused %s', async (_, version, apikey, status) => {
    await expect(RawSocket.open(realtime.url, version, apikey)).rejects.toThrow(status);
  });

  it('takes an expired token for no key', async () => {
    const token = await realtime.token('someone', -5);
    await expect(RawSocket.open(realtime.url, '2.0.0', token)).rejects.toThrow('401');
  });
});

describe('a socket', () => {
  it.each(['1.0.0', '2.0.0'])('answers heartbeats in version %s', async (version) => {
    const socket = await RawSocket.open(realtime.url, version);
    socket.send('phoenix', 'heartbeat', {}, '7', null);
    expect(await socket.next()).toMatchObject({
      ref: '7',
      topic: 'phoenix',
      event: 'phx_reply',
      payload: { status: 'ok', response: {} },
    });
    socket.close();
  });

  it('survives malformed frames of every kind', async () => {
    const socket = await RawSocket.open(realtime.url);
    for (const text of [
      '',
      '{',
      'null',
      '5',
      '[]',
      '[1,2,3,4,5]',
      '{"topic":"phoenix"}',
      '["1","2"]',
    ]) {
      socket.sendRaw(text);
    }
    for (const bytes of [[], [3], [3, 255, 255, 255, 255, 255, 1], [0, 1, 1, 1, 1], [9, 9, 9]]) {
      socket.sendRaw(Uint8Array.from(bytes));
    }
    expect(await socket.settled()).toEqual([]);
    expect((await socket.join('realtime:room')).status).toBe('ok');
    socket.close();
  });

  it('is closed with 1009 for a frame that is too large, without hurting others', async () => {
    const other = await RawSocket.open(realtime.url);
    const socket = await RawSocket.open(realtime.url);
    socket.sendRaw('x'.repeat(100_001));
    expect(await socket.closed).toBe(1009);
    expect(await other.settled()).toEqual([]);
    other.close();
  });

  it('is closed when it reads too slowly, while others get everything', async () => {
    const [sender, reader] = [
      await RawSocket.open(realtime.url),
      await RawSocket.open(realtime.url),
    ];
    for (const socket of [sender, reader]) await socket.join('realtime:flood');
    const stalled = await stalledSocket('realtime:flood');
    const closed = new Promise((resolve) => stalled.once('close', resolve));
    const payload = { type: 'broadcast', event: 'e', payload: { text: 'x'.repeat(40_000) } };
    for (let sent = 0; sent < 300; sent += 1) {
      sender.send('realtime:flood', 'broadcast', payload, null);
      expect((await reader.next()).event).toBe('broadcast');
    }
    stalled.resume();
    await closed;
    sender.close();
    reader.close();
  });

  it('may have so many channels and no more', async () => {
    const socket = await RawSocket.open(realtime.url);
    for (const n of [1, 2, 3]) await socket.join(`realtime:${n}`, {}, String(n));
    const reply = await socket.join('realtime:4', {}, '4');
    expect(reply.response).toEqual({ reason: 'ChannelRateLimitReached: Too many channels' });
    socket.close();
  });

  it('hears of a payload that is too large when it asked for acknowledgement', async () => {
    const socket = await RawSocket.open(realtime.url);
    await socket.join('realtime:room', { config: { broadcast: { ack: true } } });
    const payload = { type: 'broadcast', event: 'e', payload: { text: 'x'.repeat(50_000) } };
    socket.send('realtime:room', 'broadcast', payload, '2');
    expect((await socket.next()).payload).toEqual({
      status: 'error',
      response: 'payload_size_exceeded',
    });
    socket.close();
  });
});

describe('a restart', () => {
  it('closes sockets with 1012, and clients come back by themselves', async () => {
    const socket = await RawSocket.open(realtime.url);
    const client = await realtime.client();
    const heard = new Inbox<{ event: string }>();
    const channel = client.channel('room').on('broadcast', { event: '*' }, heard.put);
    const joins = new Inbox<string>();
    channel.subscribe((status) => {
      if (`${status}` === 'SUBSCRIBED') joins.put(status);
    });
    await joins.count(1);
    await realtime.stopServer();
    expect(await socket.closed).toBe(1012);
    await realtime.startServer();
    await joins.count(2);
    await realtime.send('room', 'after', {}, false);
    await heard.find((message) => message.event === 'after');
  });
});

it('sends to clients of supabase-js what SQL sends to a public topic', async () => {
  const client = await realtime.client();
  const heard = new Inbox<{ payload: { n: number } }>();
  await subscribed(client.channel('news').on('broadcast', { event: 'x' }, heard.put));
  await realtime.send('news', 'x', { n: 1 }, false);
  expect((await heard.find()).payload.n).toBe(1);
});

/** A joined socket that reads nothing more. */
async function stalledSocket(topic: string): Promise<ReturnType<typeof connect>> {
  const { port } = new URL(realtime.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `GET /socket/websocket?apikey=sb_publishable_test&vsn=2.0.0 HTTP/1.1\r\nHost: localhost\r\n` +
      `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
  );
  await once(socket);
  const join = Buffer.from(JSON.stringify(['1', '1', topic, 'phx_join', {}]));
  // A masked text frame, with a mask of zeros.
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | join.length, 0, 0, 0, 0]), join]));
  await once(socket);
  socket.pause();
  return socket;
}

function once(socket: ReturnType<typeof connect>): Promise<void> {
  return new Promise((resolve) => socket.once('data', () => resolve()));
}
