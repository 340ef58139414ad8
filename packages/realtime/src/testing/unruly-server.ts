import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { LiveEvent } from '../connection/api.ts';

/** `[join_ref, ref, topic, event, payload]`, the envelope of protocol 2.0.0. */
type Frame = [string | null, string | null, string, string, Record<string, unknown>];
type Peer = { socket: WebSocket; joins: Map<string, string>; isMute: boolean };

/**
 * A Realtime server that can be told to misbehave, as the hosted one does when it is overloaded,
 * restarted or takes a right away. For the socket's own tests; what the stores need of a server
 * that behaves is tested on the real stack.
 */
export class UnrulyServer {
  readonly #server: WebSocketServer;
  readonly #peers = new Set<Peer>();
  /** Every join's topic and token, in order. */
  readonly joins: { topic: string; token: unknown }[] = [];
  /** Every token that came over a joined channel. */
  readonly tokens: unknown[] = [];
  /** Why joins are refused; they aren't while it is undefined. */
  refusal: string | undefined;

  constructor(port = 0) {
    this.#server = new WebSocketServer({ port, host: '127.0.0.1' });
    this.#server.on('connection', (socket) => {
      const peer: Peer = { socket, joins: new Map(), isMute: false };
      this.#peers.add(peer);
      socket.on('close', () => this.#peers.delete(peer));
      socket.on('message', (data: Buffer) =>
        this.#answer(peer, JSON.parse(data.toString()) as Frame),
      );
    });
  }

  async listen(): Promise<this> {
    if (!this.#server.address()) await new Promise((done) => this.#server.once('listening', done));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** A numbered event, as the database sends it. */
  tell(topic: string, { event, ...payload }: LiveEvent): void {
    for (const { socket, joins } of this.#peers) {
      if (!joins.has(topic)) continue;
      const told = { type: 'broadcast', event, payload };
      socket.send(JSON.stringify([null, null, `realtime:${topic}`, 'broadcast', told]));
    }
  }

  /** Says why, and closes the channel: Phoenix's client would never come back from it. */
  closeChannel(topic: string, message: string): void {
    for (const { socket, joins } of this.#peers) {
      const ref = joins.get(topic);
      if (!ref) continue;
      joins.delete(topic);
      const why = { extension: 'system', status: 'error', message, channel: topic };
      socket.send(JSON.stringify([ref, null, `realtime:${topic}`, 'system', why]));
      socket.send(JSON.stringify([ref, ref, `realtime:${topic}`, 'phx_close', {}]));
    }
  }

  /** Cuts every socket without a word. */
  cut(): void {
    for (const { socket } of this.#peers) socket.terminate();
  }

  /** Leaves every socket open, and answers on none: the peer of a laptop that has slept. */
  playDead(): void {
    for (const peer of this.#peers) {
      peer.isMute = true;
      peer.socket.pause();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((done) => this.#server.close(done));
  }

  #answer(peer: Peer, [joinRef, ref, name, event, payload]: Frame): void {
    if (peer.isMute) return;
    const topic = name.replace(/^realtime:/, '');
    const reply = (status: string, response: object) =>
      peer.socket.send(JSON.stringify([joinRef, ref, name, 'phx_reply', { status, response }]));
    switch (event) {
      case 'heartbeat':
        return reply('ok', {});
      case 'access_token':
        this.tokens.push(payload['access_token']);
        return;
      case 'phx_leave':
        if (peer.joins.get(topic) === joinRef) peer.joins.delete(topic);
        return reply('ok', {});
      case 'phx_join':
        this.joins.push({ topic, token: payload['access_token'] });
        if (this.refusal) return reply('error', { reason: this.refusal });
        peer.joins.set(topic, joinRef ?? '');
        return reply('ok', { postgres_changes: [] });
    }
  }
}
