import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { WebSocketServer } from 'ws';
import { offer } from './worker.ts';

let database: pg.Client | undefined;
const http = createServer();
const server = new WebSocketServer({ server: http, perMessageDeflate: false });

function sendToAll(frame: string | Buffer): void {
  for (const client of server.clients) client.send(frame, { binary: false });
}

/** What one would write without Homeroom: LISTEN, and every payload to every socket. */
const tasks = {
  async open({ url, channel }: { url: string; channel: string }): Promise<string> {
    database = new pg.Client(url);
    await database.connect();
    database.on('notification', ({ payload = '' }) => sendToAll(payload));
    await database.query(`listen ${channel}`);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
  },

  /** The bare loop: the same bytes to everybody, so many times. */
  blast({ frame, times }: { frame: string; times: number }): void {
    const bytes = Buffer.from(frame);
    for (let time = 0; time < times; time += 1) sendToAll(bytes);
  },
};

export type RelayTasks = typeof tasks;

offer(tasks, async () => {
  for (const client of server.clients) client.terminate();
  await database?.end();
});
