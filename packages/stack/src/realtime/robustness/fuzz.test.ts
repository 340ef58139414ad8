import type { Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawSocket } from '../testing/raw-socket.ts';
import { bareSocket, clientFrame } from './readers.ts';
import { Rig } from './rig.ts';

const MB = 1024 * 1024;
/** `FUZZ_FRAMES=5000000` is the long form (some minutes); `FUZZ_SEED` repeats a run. */
const FRAMES = Number(process.env['FUZZ_FRAMES'] ?? 20_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? 42);
/** Frames of one socket, in one write. */
const PER_SOCKET = 200;

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start({ limits: { frameBytes: 100_000, channelsPerConnection: 10 } });
});
afterAll(() => rig[Symbol.asyncDispose]());

/** Values that JSON can carry, with the protocol's own words among them. */
const word = fc.constantFrom(
  ...['phx_join', 'phx_leave', 'access_token', 'broadcast', 'presence', 'heartbeat', 'phoenix'],
  ...['realtime:a', 'realtime:b', 'realtime:', 'track', 'untrack', 'config', 'payload', 'event'],
  ...['type', 'private', 'self', 'ack', 'replay', 'since', 'limit', 'key', 'postgres_changes'],
  ...['__proto__', 'constructor', 'schema', 'table', 'filter', 'id=eq.1', '*', '1', '', '\u0000'],
);
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    word,
    fc.constantFrom<unknown>(null, true, false, 0, -1, 1e308, {}, []),
    fc.string(),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(word, tie('any'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).any;

/** What clients say, but anything in any place. */
const message = fc.oneof(
  fc.tuple(value, value, word, word, value),
  fc.record({ topic: word, event: word, payload: value, ref: value, join_ref: value }),
  value,
);
const text = fc.oneof(
  { weight: 5, arbitrary: message.map((any) => Buffer.from(JSON.stringify(any))) },
  // Cut in the middle, also of a character.
  fc.tuple(message, fc.nat()).map(([any, at]) => {
    const bytes = Buffer.from(JSON.stringify(any));
    return bytes.subarray(0, at % (bytes.length + 1));
  }),
  bytes(300),
  // So deep that a parser which recurses would fall.
  fc.nat(20_000).map((depth) => Buffer.from('['.repeat(depth))),
);
/** Kind 3 frames whose sizes may or may not be right, and other kinds. */
const binary = fc
  .tuple(fc.constantFrom(0, 1, 2, 3, 4, 255), fc.array(fc.nat(255), { maxLength: 8 }), bytes(600))
  .map(([kind, sizes, rest]) => Buffer.concat([Buffer.from([kind, ...sizes]), rest]));
const frame = fc.oneof(
  { weight: 2, arbitrary: text.map((payload) => clientFrame(1, payload)) },
  { weight: 1, arbitrary: binary.map((payload) => clientFrame(2, payload)) },
);
/** What ends a socket: continuations of nothing, closes, opcodes that don't exist, no frames at all. */
const lastFrame = fc.oneof(
  fc.tuple(fc.nat(15), bytes(130)).map(([opcode, payload]) => clientFrame(opcode, payload)),
  bytes(40),
);

function bytes(maxLength: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
}

/** Says it all, then leaves without a word; what the server answers is read and dropped. */
async function say(frames: Buffer[]): Promise<void> {
  const socket: Socket = await bareSocket(rig.url);
  socket.on('error', () => undefined);
  socket.resume();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.end(Buffer.concat(frames));
  await closed;
}

it(
  `stays up, and its memory flat, through ${FRAMES} frames of every kind (seed ${SEED})`,
  async () => {
    // Made once and said again and again in other orders: making them takes longer than saying them.
    const pool = fc.sample(frame, { numRuns: Math.min(FRAMES, 50_000), seed: SEED });
    const lasts = fc.sample(lastFrame, { numRuns: 1_000, seed: SEED });
    const random = numbersFrom(SEED);
    const oneOf = (frames: Buffer[]): Buffer => frames[random() % frames.length] ?? Buffer.alloc(0);
    const round = async (frames: number): Promise<void> => {
      for (let said = 0; said < frames; said += PER_SOCKET) {
        const frames = Array.from({ length: PER_SOCKET - 1 }, () => oneOf(pool));
        await say([...frames, oneOf(lasts)]);
      }
    };
    await round(FRAMES / 4);
    const before = (await rig.memory()).used;
    await round((FRAMES / 4) * 3);
    expect(((await rig.memory()).used - before) / MB).toBeLessThan(10);

    const socket = await RawSocket.open(rig.url);
    expect((await socket.join('realtime:a'))['status']).toBe('ok');
    expect(await socket.settled()).toEqual([]);
    socket.close();
  },
  60_000 + FRAMES,
);

it('reads no more than it must of frames that promise too much', async () => {
  const before = (await rig.memory()).used;
  const promising = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
  await Promise.all(Array.from({ length: 100 }, () => say([promising, Buffer.alloc(50_000)])));
  expect(((await rig.memory()).used - before) / MB).toBeLessThan(10);
});

/** Numbers that look random and are the same for each seed (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}
