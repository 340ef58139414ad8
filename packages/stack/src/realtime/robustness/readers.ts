/** Readers with manners of their own: one that only counts, one that stops reading. */
import { connect, type Socket } from 'node:net';
import WebSocket from 'ws';

/** Tables whose changes a reader asks for. */
type Wish = { topic: string; table?: string };

/** Counts occurrences in what comes, without keeping it. */
export class CountingReader {
  readonly #ws: WebSocket;
  #count = 0;
  #wanted = Infinity;
  #enough: (() => void) | null = null;
  /** The code with which the server ended it. */
  readonly closed: Promise<number>;

  private constructor(ws: WebSocket, pattern: RegExp) {
    this.#ws = ws;
    this.closed = new Promise((resolve) => ws.once('close', (code) => resolve(code)));
    ws.on('message', (data: Buffer) => {
      if (!pattern.test(data.toString('latin1'))) return;
      this.#count += 1;
      if (this.#count >= this.#wanted) this.#enough?.();
    });
  }

  /** Joins, and waits until what it asked for flows. */
  static async open(url: string, pattern: RegExp, wish: Wish): Promise<CountingReader> {
    const ws = new WebSocket(socketUrl(url), { perMessageDeflate: false });
    const ready = new Promise<void>((resolve, reject) => {
      const sign = wish.table === undefined ? '"phx_reply"' : 'Subscribed to PostgreSQL';
      ws.on('message', (data: Buffer) => {
        if (data.includes(sign)) resolve();
      });
      ws.once('error', reject);
    });
    ws.once('open', () => ws.send(joinText(wish)));
    await ready;
    return new CountingReader(ws, pattern);
  }

  get count(): number {
    return this.#count;
  }

  /** Resolves once so many have come; rejects if it is ended before. */
  async reached(count: number): Promise<void> {
    if (this.#count >= count) return;
    this.#wanted = count;
    const enough = new Promise<null>((resolve) => (this.#enough = () => resolve(null)));
    const code = await Promise.race([enough, this.closed]);
    if (code !== null) throw new Error(`Ended with ${code} after ${this.#count}`);
  }

  heartbeat(): void {
    this.#ws.send('[null,"h","phoenix","heartbeat",{}]');
  }

  /** As a network does that is gone: nothing is read any more, nothing answered. */
  stall(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  end(): void {
    this.#ws.terminate();
  }
}

/** The text of a join. */
export function joinText({ topic, table }: Wish): string {
  const changes = table === undefined ? [] : [{ event: '*', schema: 'public', table }];
  const config = { postgres_changes: changes };
  return JSON.stringify(['1', '1', `realtime:${topic}`, 'phx_join', { config }]);
}

function socketUrl(url: string): string {
  return `${url.replace('http', 'ws')}/socket/websocket?apikey=sb_publishable_test&vsn=2.0.0`;
}

/** A WebSocket without a client behind it: what is written is what goes out, right or wrong. */
export async function bareSocket(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.write(
    `GET /socket/websocket?apikey=sb_publishable_test&vsn=2.0.0 HTTP/1.1\r\nHost: localhost\r\n` +
      `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve());
    socket.once('error', reject);
  });
  return socket;
}

/** A whole frame from a client, masked with zeros. */
export function clientFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = 0x80 | opcode;
  if (length < 126) {
    head[1] = 0x80 | length;
  } else if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeUIntBE(length, 4, 6);
  }
  return Buffer.concat([head, payload]);
}
