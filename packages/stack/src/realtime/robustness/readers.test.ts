import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawSocket } from '../testing/raw-socket.ts';
import { bareSocket, clientFrame, CountingReader, joinText } from './readers.ts';
import { Rig } from './rig.ts';

const MB = 1024 * 1024;
/** The long form takes minutes: `ROBUSTNESS=long vitest run src/realtime/robustness`. */
const IS_LONG = process.env['ROBUSTNESS'] === 'long';
const ROWS = IS_LONG ? 1_000_000 : 50_000;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({
    sql: `
      create table events (id int primary key, body text);
      alter table events enable row level security;
      create policy everybody on events using (true);
      grant select on events to anon;
      alter publication supabase_realtime add table events;`,
    limits: { bufferedBytes: 2 * MB, idleTimeoutMs: 6_000, sweepIntervalMs: 100 },
  });
});
afterAll(() => rig[Symbol.asyncDispose]());

/** The greatest of what `sample` gives at each of the `steps`. */
async function greatest(
  steps: AsyncIterable<unknown>,
  sample: () => Promise<number>,
): Promise<number> {
  let max = 0;
  for await (const _step of steps) max = Math.max(max, await sample());
  return max;
}

/** A step for each twentieth of what the reader is to get. */
async function* twentieths(reader: CountingReader, count: number): AsyncGenerator<void> {
  for (let step = 1; step <= 20; step += 1) yield reader.reached(Math.floor((count * step) / 20));
}

it(
  `tells a transaction of ${ROWS} rows whole, in bounded memory`,
  async () => {
    await rig.db.query('truncate events');
    const reader = await CountingReader.open(rig.url, /"postgres_changes"/, {
      topic: 'room',
      table: 'events',
    });
    const before = (await rig.memory()).used;
    await rig.db.query(
      `insert into events select n, repeat('x', 100) from generate_series(1, $1) n`,
      [ROWS],
    );
    const keepAlive = setInterval(() => reader.heartbeat(), 1_000);
    const peak = await greatest(twentieths(reader, ROWS), async () => (await rig.memory()).used);
    clearInterval(keepAlive);
    expect(reader.count).toBe(ROWS);
    expect((peak - before) / MB).toBeLessThan(100);
    reader.end();
  },
  IS_LONG ? 600_000 : 60_000,
);

it('holds so much for each stalled reader and no more, and ends it; others get everything', async () => {
  const topics = Array.from({ length: 20 }, (_, n) => `stalled-${n}`);
  const readers = await Promise.all(
    topics.map((topic) => CountingReader.open(rig.url, /payload-\d/, { topic })),
  );
  const alive = await CountingReader.open(rig.url, /payload-\d/, { topic: 'stalled-0' });
  for (const reader of readers) reader.stall();
  const before = (await rig.memory()).resident;
  const rounds = 100;
  const body = 'x'.repeat(200_000);
  /** A step for each tenth: a sample collects garbage, which takes its time. */
  const send = async function* (): AsyncGenerator<void> {
    for (let n = 0; n < rounds; n += 1) {
      await rig.db.query(
        `select realtime.send(jsonb_build_object('text', $1::text), 'payload-' || $2::int, topic, false)
         from unnest($3::text[]) topic`,
        [body, n, topics],
      );
      alive.heartbeat();
      if (n % 10 === 9) yield;
    }
  };
  const peak = await greatest(send(), async () => (await rig.memory()).resident);
  await alive.reached(rounds);
  // 20 MB were told on each of 20 topics.
  expect((peak - before) / MB).toBeLessThan(20 * 2 + 160);
  for (const reader of readers) {
    reader.resume();
    expect([1000, 1006, 1013]).toContain(await reader.closed);
    expect(reader.count).toBeLessThan(rounds);
  }
  alive.end();
});

it('ends a half-open socket, and says that its person has left', async () => {
  const watcher = await RawSocket.open(rig.url);
  const config = { presence: { enabled: true, key: 'watcher' } };
  await watcher.join('realtime:here', { config });
  const keepAlive = setInterval(() => watcher.send('phoenix', 'heartbeat', {}, 'h', null), 500);
  const gone = await bareSocket(rig.url);
  const say = (text: string): unknown => gone.write(clientFrame(1, Buffer.from(text)));
  say(
    JSON.stringify([
      '1',
      '1',
      'realtime:here',
      'phx_join',
      { config: { presence: { enabled: true, key: 'gone' } } },
    ]),
  );
  say(JSON.stringify(['1', '2', 'realtime:here', 'presence', { event: 'track', payload: {} }]));
  const diff = (side: string) => (frame: { event?: string; payload?: Record<string, unknown> }) =>
    frame.event === 'presence_diff' && JSON.stringify(frame.payload?.[side]).includes('gone');
  await watcher.next(diff('joins'));
  // From here on it is as if its cable were cut.
  gone.pause();
  await watcher.next(diff('leaves'));
  clearInterval(keepAlive);
  gone.destroy();
  watcher.close();
});

it('keeps sockets when the clock jumps, to either side', async () => {
  const socket = await RawSocket.open(rig.url);
  await socket.join('realtime:clock');
  let clockMs = Date.now();
  for (const hours of [12, -12, 0]) {
    const token = await rig.token(crypto.randomUUID(), clockMs);
    await socket.join(`realtime:${hours}`, { config: {}, access_token: token });
    const isForward = Date.now() + hours * 3_600_000 > clockMs;
    clockMs = Date.now() + hours * 3_600_000;
    await rig.setClock(hours * 3_600_000);
    // The sweep that ends the token's channel would have ended an idle socket.
    if (isForward) await socket.next(({ event }) => event === 'phx_close');
    expect((await socket.settled()).filter(({ topic }) => topic === 'realtime:clock')).toEqual([]);
  }
  socket.close();
});

it('lives with sockets that end in the middle of anything', async () => {
  const whole = clientFrame(1, Buffer.from(joinText({ topic: 'cut' })));
  for (let length = 1; length < whole.length; length += 5) {
    const socket = await bareSocket(rig.url);
    socket.end(whole.subarray(0, length));
    await new Promise((resolve) => socket.once('close', resolve));
  }
  const socket = await RawSocket.open(rig.url);
  expect((await socket.join('realtime:cut'))['status']).toBe('ok');
  socket.close();
});
