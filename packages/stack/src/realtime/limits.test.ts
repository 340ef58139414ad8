import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RealtimeLimits } from './limits.ts';
import { RawSocket } from './testing/raw-socket.ts';
import { Realtime } from './testing/realtime.ts';

/** Short steps, so that what was counted counts soon, of which twelve take a while. */
const rateTickMs = 100;

let realtime: Realtime;
beforeAll(async () => {
  realtime = await Realtime.start();
});
beforeEach(() => realtime.stopServer());
afterAll(() => realtime[Symbol.asyncDispose]());

async function joined(limits: Partial<RealtimeLimits>): Promise<RawSocket> {
  await realtime.startServer({ rateTickMs, sweepIntervalMs: 20, ...limits });
  const socket = await RawSocket.open(realtime.url);
  const config = { broadcast: { self: true, ack: true }, presence: { enabled: true } };
  await socket.join('realtime:room', { config });
  return socket;
}

const broadcast = { type: 'broadcast', event: 'e', payload: {} };
const track = (n: number) => ({ type: 'presence', event: 'track', payload: { n } });

/** Does something again and again until the promise has settled. */
async function until(settled: Promise<unknown>, step: () => void): Promise<void> {
  let isOver = false;
  void settled.finally(() => (isOver = true));
  while (!isOver) {
    step();
    await new Promise(setImmediate);
  }
}

/** The message with which a channel is ended. */
async function lastWords(socket: RawSocket): Promise<unknown> {
  const system = await socket.next((frame) => frame.event === 'system');
  expect(await socket.next()).toMatchObject({ event: 'phx_close', ref: '1' });
  return system.payload?.message;
}

describe('too many', () => {
  it('broadcasts end the channel of who hears them', async () => {
    const socket = await joined({ eventsPerSecond: 1 });
    const ended = lastWords(socket);
    await until(ended, () => socket.send('realtime:room', 'broadcast', broadcast, null));
    expect(await ended).toBe('Too many messages per second');
    socket.close();
  });

  it('presence events end the channel', async () => {
    const socket = await joined({ presenceEventsPerSecond: 1 });
    const ended = lastWords(socket);
    let n = 0;
    await until(ended, () => socket.send('realtime:room', 'presence', track((n += 1)), null));
    expect(await ended).toBe('Too many presence messages per second');
    socket.close();
  });

  it('calls of track by one channel end it', async () => {
    const socket = await joined({ presenceCallsPer30Seconds: 5 });
    for (const n of [2, 3, 4, 5, 6, 7]) {
      socket.send('realtime:room', 'presence', track(n), String(n));
    }
    expect(await lastWords(socket)).toBe('Client presence rate limit exceeded');
    socket.close();
  });

  it('bytes of presence end the channel', async () => {
    const socket = await joined({ payloadBytes: 1_000 });
    const payload = { type: 'presence', event: 'track', payload: { text: 'x'.repeat(1_000) } };
    socket.send('realtime:room', 'presence', payload, '2');
    expect(await lastWords(socket)).toBe('Track message size exceeded');
    socket.close();
  });

  it('joins are refused, and the socket is closed', async () => {
    const socket = await joined({ joinsPerSecond: 1 });
    let reply: Record<string, unknown> = { status: 'ok' };
    for (let n = 2; reply.status === 'ok'; n += 1) {
      reply = await socket.join('realtime:other', { config: {} }, String(n));
    }
    expect(reply.response).toEqual({
      reason: 'ClientJoinRateLimitReached: Too many joins per second',
    });
    expect(await socket.closed).toBe(1001);
  });

  it('messages over HTTP are answered with 429 and the time to wait', async () => {
    (await joined({ eventsPerSecond: 3 })).close();
    const post = (count: number): Promise<Response> =>
      fetch(`${realtime.url}/realtime/v1/api/broadcast`, {
        method: 'POST',
        headers: { apikey: 'sb_secret_test', 'content-type': 'application/json' },
        body: JSON.stringify({
          messages: Array.from({ length: count }, () => ({ topic: 'a', event: 'b', payload: {} })),
        }),
      });
    const large = await post(4);
    expect([large.status, await large.json()]).toEqual([
      429,
      { message: 'Too many messages to broadcast, please reduce the batch size' },
    ]);
    const accepted = await post(3);
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('x-rate-limit')).toBe('3');
    expect(accepted.headers.get('x-rate-limit-remaining')).toBe('3');
    let late = accepted;
    while (late.headers.get('x-rate-limit-remaining') !== '0') late = await post(1);
    expect([late.status, await late.json()]).toEqual([429, { message: 'Too many requests' }]);
    expect(late.headers.get('x-rate-limit-remaining')).toBe('0');
    expect(late.headers.get('retry-after')).toBe('1');
  });
});

it('lets nobody open a socket while there are too many joins', async () => {
  const socket = await joined({ joinsPerSecond: 1 });
  await expect(
    (async () => {
      for (;;) (await RawSocket.open(realtime.url)).close();
    })(),
  ).rejects.toThrow('429');
  socket.close();
});

it('drops messages of the database while there are too many events', async () => {
  const socket = await joined({ eventsPerSecond: 1 });
  const drops = async (): Promise<number> => (await realtime.metrics()).drops.overRate;
  for (let n = 0; (await drops()) === 0; n += 1) await realtime.send('room', 'e', { n }, false);
  socket.close();
});

it('refuses public channels, if told so', async () => {
  await realtime.startServer({ privateOnly: true });
  const socket = await RawSocket.open(realtime.url);
  expect((await socket.join('realtime:room', { config: {} })).response).toEqual({
    reason: 'PrivateOnly: This project only allows private channels',
  });
  socket.close();
});

it('closes a socket that is on no channel', async () => {
  const socket = await joined({ emptyTimeoutMs: 100 });
  const unused = await RawSocket.open(realtime.url);
  expect(await unused.closed).toBe(1000);
  expect(await socket.settled()).toMatchObject([{ event: 'presence_state' }]);
  socket.send('realtime:room', 'phx_leave', {}, '2');
  expect(await socket.closed).toBe(1000);
});

it('lets a second new token wait, and uses the last one', async () => {
  const socket = await joined({ tokenRefreshIntervalMs: 300 });
  const send = async (token: string | Promise<string>): Promise<void> =>
    socket.send('realtime:room', 'access_token', { access_token: await token }, '2');
  await send(realtime.token('first'));
  await send('not a token');
  await send('not the last one');
  expect(await socket.settled()).toMatchObject([{ event: 'presence_state' }]);
  await send(realtime.token('last'));
  await send('a.b.c');
  expect(await lastWords(socket)).toBe('The token provided is not a valid JWT');
  socket.close();
});
