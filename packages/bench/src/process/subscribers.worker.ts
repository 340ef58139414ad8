import WebSocket from 'ws';
import type { GatewayAddress } from './gateway.worker.ts';
import { offer } from './worker.ts';
import { HEARTBEAT, HEARTBEAT_MS, joinFrame, realtimeUrl } from './protocol.ts';

/** Sockets opened at the same time; more would only queue. */
const OPENING_AT_ONCE = 50;
/** Replies to joins and heartbeats are shorter than any event of ours. */
const EVENT_BYTES_MIN = 200;

const sockets: WebSocket[] = [];
let received = 0;
let wanted = Infinity;
let enough: (() => void) | undefined;
let frame = '';

function count(data: Buffer): void {
  if (data.length < EVENT_BYTES_MIN) return;
  if (frame === '') frame = data.toString();
  received += 1;
  if (received >= wanted) enough?.();
}

async function openSocket(url: string, join: string | null): Promise<void> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  sockets.push(socket);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  if (join !== null) {
    const replied = new Promise<string>((resolve) =>
      socket.once('message', (data: Buffer) => resolve(data.toString())),
    );
    socket.send(join);
    const reply = await replied;
    if (!reply.includes('"ok"')) throw new Error(`Not joined: ${reply}`);
  }
  socket.on('message', count);
}

async function openAll(url: string, join: string | null, total: number): Promise<void> {
  for (let opened = 0; opened < total; opened += OPENING_AT_ONCE) {
    const next = Math.min(OPENING_AT_ONCE, total - opened);
    await Promise.all(Array.from({ length: next }, () => openSocket(url, join)));
  }
}

setInterval(() => {
  for (const socket of sockets) socket.send(HEARTBEAT);
}, HEARTBEAT_MS);

/** Many subscribers in one process, which only count what they get. */
const tasks = {
  join(at: GatewayAddress & { topic: string; total: number }) {
    return openAll(realtimeUrl(at), joinFrame(at.topic), at.total);
  },

  joinBare({ url, total }: { url: string; total: number }) {
    return openAll(url, null, total);
  },

  /** Counts from now on; `received` then tells when so many are here. */
  expect(total: number): void {
    received = 0;
    wanted = total;
  },

  received: () =>
    new Promise<void>((resolve) => {
      enough = resolve;
      if (received >= wanted) resolve();
    }),

  /** What an event looks like on the wire. */
  frame: () => frame,
};

export type SubscriberTasks = typeof tasks;

offer(tasks, () => {
  for (const socket of sockets) socket.terminate();
});
