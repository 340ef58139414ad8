import { Socket as PhoenixSocket, type Channel } from '@supabase/phoenix';
import { TOPIC_MOVED, toMove } from '../topic/channel.ts';
import { channelEnd, isTokenFault } from '../topic/channel-end.ts';
import type { ChannelListener, Transport } from '../topic/transport.ts';
import type { LiveEvent } from './api.ts';
import { reopenAfterMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { decodeFrame } from './frames.ts';
import type { SocketState } from './status.ts';
import type { TokenKeeper } from './token.ts';
import { watchedWebSocket } from './watched-websocket.ts';

/** Server and client each give a silent peer up after about a minute; hosted's own interval, ms. */
const HEARTBEAT_EVERY_MS = 25_000;
/** Longest wait for the answer to a join, ms. Servers sleep 5 s before they refuse one. */
const JOIN_TIMEOUT_MS = 10_000;
/** After a wake: an open socket that doesn't answer within this, ms, is dead. */
const PROBE_TIMEOUT_MS = 1_500;
/** A socket that is being opened for longer than this, ms, is given up after a wake. */
const OPENING_PATIENCE_MS = 1_000;

type Settings = {
  url: string;
  apikey: string;
  tokens: TokenKeeper;
  clock: Clock;
  log(message: string, details?: unknown): void;
};

/** The real transport: one socket, and a new channel of Phoenix for each join. */
export class Socket implements Transport {
  readonly #settings: Settings;
  readonly #phoenix: PhoenixSocket;
  readonly #channels = new Set<Channel>();
  #state: SocketState = 'idle';
  #listener: (state: SocketState) => void = () => undefined;
  #current: WebSocket | undefined;
  #openingSince = 0;
  #reopenAtOnce = false;
  #heartbeatPending = false;
  #cancelProbe: (() => void) | undefined;
  #openFailures = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    const { url, apikey, tokens, clock } = settings;
    this.#phoenix = new PhoenixSocket(`${url.replace(/^http/, 'ws')}/realtime/v1`, {
      params: { apikey },
      timeout: JOIN_TIMEOUT_MS,
      heartbeatIntervalMs: HEARTBEAT_EVERY_MS,
      decode: decodeFrame,
      heartbeatCallback: (status) => this.#heartbeat(status),
      reconnectAfterMs: (tries) => {
        return this.#reopenAtOnce ? 0 : reopenAfterMs(tries, clock.random());
      },
      transport: watchedWebSocket({
        opening: (socket) => this.#opening(socket),
        opened: (socket) => this.#opened(socket),
        lost: (socket) => this.#lost(socket),
      }),
    });
    tokens.onToken((token) => {
      for (const channel of this.#channels) channel.push('access_token', { access_token: token });
    });
  }

  state(): SocketState {
    return this.#state;
  }

  onState(listener: (state: SocketState) => void): void {
    this.#listener = listener;
  }

  openFailures(): number {
    return this.#openFailures;
  }

  open(): void {
    if (this.#state !== 'idle') return;
    this.#become('opening');
    this.#phoenix.connect();
  }

  close(): void {
    if (this.#state === 'closed') return;
    this.#become('closed');
    this.#cancelProbe?.();
    this.#phoenix.disconnect();
  }

  revive(): void {
    switch (this.#state) {
      case 'idle':
      case 'closed':
        return;
      case 'open':
        this.#probe();
        return;
      case 'opening': {
        this.#reopenAtOnce = true;
        const isTrying = this.#current?.readyState === WebSocket.CONNECTING;
        if (!isTrying) this.#phoenix.reconnectTimer.scheduleTimeout();
        else if (this.#settings.clock.now() - this.#openingSince > OPENING_PATIENCE_MS) {
          this.#current?.close();
        }
      }
    }
  }

  join(topic: string, listener: ChannelListener): () => void {
    let left = false;
    let channel: Channel | undefined;
    const leave = () => {
      left = true;
      if (channel) this.#leave(channel);
    };
    const end = (cause: unknown) => {
      if (left) return;
      leave();
      const ending = channelEnd(cause);
      if (isTokenFault(ending.reason)) this.#settings.tokens.invalidate();
      listener.ended(ending);
    };
    this.#settings.tokens
      .fresh()
      .then((token) => {
        if (left) return;
        channel = this.#channel(topic, token);
        this.#subscribe(channel, listener, end);
      })
      .catch(end);
    return leave;
  }

  /** A channel that isn't joined yet, as Supabase's Realtime wants to be asked for one. */
  #channel(topic: string, token: string): Channel {
    const channel = this.#phoenix.channel(`realtime:${topic}`, {
      config: {
        private: true,
        broadcast: { ack: false, self: false },
        presence: { key: '', enabled: false },
        postgres_changes: [],
      },
      access_token: token,
    });
    this.#channels.add(channel);
    return channel;
  }

  /**
   * One channel, for one join: Phoenix would rejoin by itself, with the token of last time, so
   * whatever ends it ends it for good.
   */
  #subscribe(channel: Channel, on: Omit<ChannelListener, 'ended'>, end: (cause: unknown) => void) {
    let lastWord: string | undefined;
    channel.on('broadcast', (message) => {
      const { event, payload } = message as { event: string; payload?: unknown };
      const move = event === TOPIC_MOVED ? toMove(payload) : undefined;
      const told = toLiveEvent(event, payload);
      if (move) on.moved(move);
      else if (told) on.event(told);
      else on.said(event, payload);
    });
    channel.on('system', (payload) => {
      const { status, message } = payload as { status?: string; message?: string };
      if (status === 'error') lastWord = message;
    });
    channel.onClose(() => end(lastWord ?? 'The server closed the channel'));
    channel.onError(() => end(lastWord ?? 'The channel was lost'));
    channel
      .join()
      .receive('ok', () => on.joined())
      .receive('error', (reply: object) => end(lastWord ?? Object.values(reply).join(', ')))
      .receive('timeout', () => end('The join was not answered in time'));
  }

  /** A channel that the server knows of is left; one that is over is only forgotten. */
  #leave(channel: Channel): void {
    this.#channels.delete(channel);
    if (channel.state === 'joined' || channel.state === 'joining') channel.leave();
    channel.teardown();
    this.#phoenix.remove(channel);
  }

  #become(state: SocketState): void {
    if (this.#state === state || this.#state === 'closed') return;
    this.#settings.log(`socket: ${this.#state} → ${state}`);
    this.#state = state;
    this.#listener(state);
  }

  #opening(socket: WebSocket): void {
    this.#current = socket;
    this.#openingSince = this.#settings.clock.now();
    this.#heartbeatPending = false;
  }

  #opened(socket: WebSocket): void {
    if (socket !== this.#current) return;
    this.#reopenAtOnce = false;
    this.#become('open');
  }

  #lost(socket: WebSocket): void {
    if (socket !== this.#current) return;
    if (this.#state === 'opening') this.#openFailures += 1;
    this.#become('opening');
  }

  #heartbeat(status: string): void {
    if (status === 'sent') this.#heartbeatPending = true;
    if (status !== 'ok') return;
    this.#heartbeatPending = false;
    this.#cancelProbe?.();
    this.#cancelProbe = undefined;
  }

  /** Asks an open socket for a sign of life, and closes it when there is none. */
  #probe(): void {
    const probed = this.#current;
    // A second heartbeat before the first is answered would make Phoenix give up at once.
    if (!this.#heartbeatPending) this.#phoenix.sendHeartbeat();
    this.#cancelProbe?.();
    this.#cancelProbe = this.#settings.clock.after(PROBE_TIMEOUT_MS, () => {
      this.#reopenAtOnce = true;
      probed?.close();
    });
  }
}

/** A broadcast from `private.publish`: `{ seq, at, data }`, and an id that Realtime adds. */
function toLiveEvent(event: string, payload: unknown): LiveEvent | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const { seq, at, data } = payload as Record<string, unknown>;
  if (typeof seq !== 'number' || typeof at !== 'number') return undefined;
  return { seq, event, at, data };
}
