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

/** Calls `sample` until `done`, and gives the greatest result. */
async function greatest(done: Promise<unknown>, sample: () => Promise<number>): Promise<number> {
  let [max, isDone] = [0, false];
  void done.then(
    () => (isDone = true),
    () => (isDone = true),
  );
  while (!isDone) {
    max = Math.max(max, await sample());
    // Each sample collects garbage, which takes time from what is measured.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await done;
  return max;
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
    const peak = await greatest(reader.reached(ROWS), async () => (await rig.memory()).used);
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
  const send = async (): Promise<void> => {
    for (let n = 0; n < rounds; n += 1) {
      await rig.db.query(
        `select realtime.send(jsonb_build_object('text', $1::text), 'payload-' || $2::int, topic, false)
         from unnest($3::text[]) topic`,
        [body, n, topics],
      );
      alive.heartbeat();
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
  for (const hours of [12, -12, 0]) {
    await rig.setClock(hours * 3_600_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await socket.settled()).toEqual([]);
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
