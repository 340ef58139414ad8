/** One client's socket: what it says goes to its channels, what they say goes out in order. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Channel } from '../channel/channel.ts';
import {
  decodeBinary,
  decodeText,
  type ClientMessage,
  type SerializerVersion,
} from '../codec/client-message.ts';
import { encodeMessage, encodeReply, type ServerMessage } from '../codec/server-message.ts';
import type { DropReason, Meter } from '../metrics/meter.ts';
import type { Claims } from '../token/verifier.ts';
import type { Flusher } from './flusher.ts';

/** Who connected, as the handshake told. */
export type Handshake = {
  version: SerializerVersion;
  /** Of the API key: for joins without a token of their own. */
  claims: Claims;
  /** The `x-…` headers as JSON text, for policies that read `request.headers`. */
  headers: string;
};

type ConnectionEvents = {
  onMessage(connection: Connection, message: ClientMessage): void;
  onClose(connection: Connection): void;
  /** Half of what may wait for it does. */
  onBehind(connection: Connection): void;
  onDrop(reason: DropReason): void;
};

/** Close code for "try again later": the client could not keep up. */
const TRY_AGAIN_LATER = 1013;
/** A peer that doesn't answer a close for this long is cut off. */
const CLOSE_TIMEOUT_MS = 5_000;

export class Connection {
  readonly version: SerializerVersion;
  readonly claims: Claims;
  readonly headers: string;
  readonly channels = new Map<string, Channel>();
  /** When the client was last heard, by the server's coarse clock, which is not that of the day. */
  lastHeardMs: number;
  /** When it was last seen on a channel, or came. */
  lastOnChannelMs: number;
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #bufferedBytes: number;
  readonly #flusher: Flusher;
  readonly #meter: Meter;
  readonly #events: ConnectionEvents;
  #queued: Buffer[] | null = null;
  #terminating: NodeJS.Timeout | null = null;
  #isOpen = true;

  constructor(
    handshake: Handshake,
    transport: {
      ws: WebSocket;
      socket: Duplex;
      flusher: Flusher;
      meter: Meter;
      bufferedBytes: number;
      nowMs: number;
    },
    events: ConnectionEvents,
  ) {
    this.version = handshake.version;
    this.claims = handshake.claims;
    this.headers = handshake.headers;
    this.lastHeardMs = transport.nowMs;
    this.lastOnChannelMs = transport.nowMs;
    this.#ws = transport.ws;
    this.#socket = transport.socket;
    this.#bufferedBytes = transport.bufferedBytes;
    this.#flusher = transport.flusher;
    this.#meter = transport.meter;
    this.#events = events;
  }

  /** Reads one frame. A malformed one is dropped, the connection kept. */
  receive(data: Buffer, isBinary: boolean): void {
    this.#meter.bytesIn += data.length;
    const message = this.#decode(data, isBinary);
    if (message === null) this.#events.onDrop('malformedFrame');
    else if (this.#isOpen) this.#events.onMessage(this, message);
  }

  #decode(data: Buffer, isBinary: boolean): ClientMessage | null {
    if (!isBinary) return decodeText(this.version, data.toString('utf8'));
    return this.version === '2.0.0' ? decodeBinary(data) : null;
  }

  /** Whether more can be sent. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Writes whole frames now. A reader too slow for its buffer loses its socket, cleanly. */
  write(frames: Buffer): void {
    if (!this.#isOpen) return;
    if (this.#socket.writableLength > this.#bufferedBytes) {
      this.#events.onDrop('slowReader');
      this.close(TRY_AGAIN_LATER, 'slow reader');
      return;
    }
    this.#meter.bytesOut += frames.length;
    this.#socket.write(frames);
    if (this.#socket.writableLength > this.#bufferedBytes / 2) this.#events.onBehind(this);
  }

  /** Bytes that wait for the client to take them. */
  get backlog(): number {
    return this.#socket.writableLength;
  }

  /** Resolves when all that was written has been taken, or the socket is gone. */
  drained(): Promise<void> {
    if (this.#socket.writableLength === 0 || this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#socket.off('close', done);
        resolve();
      };
      this.#socket.on('drain', done);
      this.#socket.on('close', done);
    });
  }

  /** Writes at the end of this turn, together with what else comes for this socket. */
  queue(frame: Buffer): void {
    if (this.#queued === null) {
      this.#queued = [];
      this.#flusher.add(this);
    }
    this.#queued.push(frame);
  }

  flush(): void {
    const queued = this.#queued;
    this.#queued = null;
    if (queued === null) return;
    this.write(queued.length === 1 && queued[0] ? queued[0] : Buffer.concat(queued));
  }

  /** Sends one message now, after what was queued. */
  send(message: ServerMessage): void {
    this.flush();
    this.write(encodeMessage(this.version, message));
  }

  /** Answers a message. */
  reply(
    to: { joinRef: string | null; ref: string | null; topic: string },
    status: 'ok' | 'error',
    response: unknown = {},
  ): void {
    this.flush();
    this.write(encodeReply(this.version, to, status, response));
  }

  /** Closes in order: what was written is still sent, within bounds of time. */
  close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.flush();
    this.#isOpen = false;
    this.#ws.close(code, reason);
    this.#terminating = setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS).unref();
    this.#events.onClose(this);
  }

  /** Resolves when the socket is gone. */
  ended(): Promise<void> {
    if (this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => this.#socket.once('close', resolve));
  }

  /** Cuts the socket, whatever is still to be written. */
  terminate(): void {
    this.#ws.terminate();
  }

  /** The socket is gone, whoever ended it. */
  closed(): void {
    if (this.#terminating !== null) clearTimeout(this.#terminating);
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#events.onClose(this);
  }
}
