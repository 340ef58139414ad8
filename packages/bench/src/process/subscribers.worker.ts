import { reopenAfterMs } from '@homeroom/realtime/core';
import WebSocket from 'ws';
import { tokenOf } from '../lab/token.ts';
import type { GatewayAddress } from './gateway.worker.ts';
import { HEARTBEAT, HEARTBEAT_MS, joinFrame, realtimeUrl } from './protocol.ts';
import { offer } from './worker.ts';

/** Sockets opened at the same time; more would only queue. */
const OPENING_AT_ONCE = 50;
/** Replies to joins and heartbeats are shorter than any event of ours. */
const EVENT_BYTES_MIN = 200;

/** How a socket is opened: where, what it says first, and what tells that it is there. */
type Opening = { url: string; join: string | null; isJoined(frame: string): boolean };

const sockets: WebSocket[] = [];
let received = 0;
let wanted = Infinity;
let enough: (() => void) | undefined;
let frame = '';
let lastEnough = 0;

function count(data: Buffer): void {
  if (data.length < EVENT_BYTES_MIN) return;
  if (frame === '') frame = data.toString();
  received += 1;
  if (received < wanted) return;
  lastEnough = performance.timeOrigin + performance.now();
  enough?.();
}

async function openSocket({ url, join, isJoined }: Opening): Promise<WebSocket> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  if (join !== null) {
    await new Promise<void>((resolve, reject) => {
      socket.on('message', function hear(data: Buffer) {
        const text = data.toString();
        if (text.includes('"error"')) reject(new Error(`Not joined: ${text}`));
        if (!isJoined(text)) return;
        socket.off('message', hear);
        resolve();
      });
      socket.once('close', () => reject(new Error('Closed while joining')));
      socket.send(join);
    });
  }
  socket.on('message', count);
  return socket;
}

async function openAll(total: number, opening: (number: number) => Opening): Promise<void> {
  let number = 0;
  const openNext = async (): Promise<void> => {
    while (number < total) sockets.push(await openSocket(opening((number += 1) - 1)));
  };
  await Promise.all(Array.from({ length: OPENING_AT_ONCE }, openNext));
}

const isReply = (text: string): boolean => text.includes('"ok"');
const areChangesLive = (text: string): boolean => text.includes('Subscribed to PostgreSQL');

setInterval(() => {
  for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(HEARTBEAT);
}, HEARTBEAT_MS);

/** On the private topic of a user, as a tab of Homeroom's is. */
const own = (at: GatewayAddress, userId: string): Opening => ({
  ...{ url: realtimeUrl(at), isJoined: isReply },
  join: joinFrame(`user:${userId}`, undefined, tokenOf(userId), true),
});

/** Many subscribers in one process, which only count what they get. */
const tasks = {
  join(at: GatewayAddress & { topic: string; total: number }) {
    const opening = { url: realtimeUrl(at), join: joinFrame(at.topic), isJoined: isReply };
    return openAll(at.total, () => opening);
  },

  /** Each on a topic of its own. */
  joinApart(at: GatewayAddress & { total: number }) {
    return openAll(at.total, (number) => ({
      ...{ url: realtimeUrl(at), isJoined: isReply },
      join: joinFrame(`bench:${number}`),
    }));
  },

  /** Each as another user, for the changes of a table. */
  joinChanges(at: GatewayAddress & { table: string; userIds: string[] }) {
    return openAll(at.userIds.length, (number) => ({
      ...{ url: realtimeUrl(at), isJoined: areChangesLive },
      join: joinFrame('bench:changes', at.table, tokenOf(at.userIds[number] ?? '')),
    }));
  },

  /** Each as another user, on one private topic. */
  joinAs(at: GatewayAddress & { topic: string; userIds: string[] }) {
    return openAll(at.userIds.length, (number) => ({
      ...{ url: realtimeUrl(at), isJoined: isReply },
      join: joinFrame(at.topic, undefined, tokenOf(at.userIds[number] ?? ''), true),
    }));
  },

  joinBare({ url, total }: { url: string; total: number }) {
    const opening = { url, join: null, isJoined: () => true };
    return openAll(total, () => opening);
  },

  /**
   * Waits until all sockets have ended, then brings each back on the topic of its user, with the
   * back-off of `@homeroom/realtime`. Gives the moments of their return, in ms since 1970.
   */
  async comeBack(at: GatewayAddress & { userIds: string[] }): Promise<number[]> {
    const returning = sockets.splice(0).map(async (socket, number) => {
      await new Promise((resolve) => socket.once('close', resolve));
      const opening = own(at, at.userIds[number] ?? '');
      for (let tries = 1; ; tries += 1) {
        const wait = reopenAfterMs(tries, Math.random());
        await new Promise((resolve) => setTimeout(resolve, wait));
        const back = await openSocket(opening).catch(() => null);
        if (back === null) continue;
        sockets.push(back);
        return performance.timeOrigin + performance.now();
      }
    });
    return Promise.all(returning);
  },

  /** Counts from now on; `received` then tells when so many are here. */
  expect(total: number): void {
    received = 0;
    wanted = total;
  },

  /** Resolves when all are here, with the moment at which they were, in ms since 1970. */
  received: () =>
    new Promise<number>((resolve) => {
      enough = () => resolve(lastEnough);
      if (received >= wanted) enough();
    }),

  /** What an event looks like on the wire. */
  frame: () => frame,

  /** Ends all sockets. */
  leave(): void {
    for (const socket of sockets.splice(0)) socket.terminate();
  },
};

export type SubscriberTasks = typeof tasks;

offer(tasks, () => tasks.leave());
