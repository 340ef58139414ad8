import type { Readable } from 'svelte/store';
import { TopicRegistry } from '../topic/registry.ts';
import type { Transport } from '../topic/transport.ts';
import type { LiveEvent, RealtimeApi } from './api.ts';
import { ClockOffset } from './clock-offset.ts';
import { systemClock, type Clock } from './clock.ts';
import { browserPage, type Page, type PageSignal } from './page.ts';
import { Socket } from './socket.ts';
import { connectionStatus, type ConnectionStatus, type TopicFacts } from './status.ts';
import { TokenKeeper, type AccessToken } from './token.ts';

/** Hidden for less than this, ms, a page has missed nothing: its socket was alive all the time. */
const HIDDEN_TRUST_MS = 10_000;

/** What a connection needs. */
export type ConnectionOptions = {
  /** Supabase's URL, such as `http://127.0.0.1:54321`. */
  url: string;
  /** The publishable key. */
  apikey: string;
  /** Whose connection it is; the server decides by the token, this only names the own topic. */
  userId: string;
  /** Asks our own server for the session's token; `null` when nobody is signed in (any more). */
  getToken(): Promise<AccessToken | null>;
  /** The tRPC client. */
  api: RealtimeApi;
  /** Called for each step that a developer may want to see. */
  log?(message: string, details?: unknown): void;
};

/** What the connection indicator shows. */
export type ConnectionState = {
  status: ConnectionStatus;
  /** When the last event was applied: milliseconds since 1970, device clock. */
  lastEventAt: number | undefined;
  /** From commit in the database to applied here, of the last event that came over the socket. */
  latencyMs: number | undefined;
};

/** Counted since the connection was made, over all stores. */
export type Metrics = {
  eventsApplied: number;
  duplicatesDropped: number;
  /** Holes in the numbers that were found and filled. */
  gapsRecovered: number;
  /** Times that the socket was opened. */
  opened: number;
  /** Attempts to open it that failed. */
  openFailures: number;
  /** Times that an open socket was lost. */
  lost: number;
  /** Times that the socket came back after a loss. */
  reconnects: number;
  snapshotsLoaded: number;
};

/** One per tab: owns the socket, the token and the topics. A store of {@link ConnectionState}. */
export type Connection = Readable<ConnectionState> & {
  readonly userId: string;
  readonly api: RealtimeApi;
  /** Opens the socket; also happens by itself with the first topic. */
  connect(): void;
  /** Closes everything for good (sign-out, page left). */
  close(): void;
  metrics(): Metrics;
  /** For stores built on the connection; components have no use for it. */
  readonly internals: ConnectionInternals;
};

/** What stores need of the connection. */
export type ConnectionInternals = {
  readonly topics: TopicRegistry;
  readonly clock: Clock;
  readonly counted: Metrics;
  statusOf(topic: TopicFacts): ConnectionStatus;
  /** An event was applied as it came over the socket; gives its latency, ms. */
  applied(event: LiveEvent): number;
  /** The server's clock now, as well as it is known: the device's may be wrong. */
  serverNow(): number;
  /** A store has fallen behind, or caught up. */
  changed(): void;
  log(message: string, details?: unknown): void;
};

/** Makes the connection of a tab. Nothing is opened before `connect()` or the first subscriber. */
export function createConnection(options: ConnectionOptions): Connection {
  const { url, apikey, getToken, log = () => undefined } = options;
  const clock = systemClock;
  const offset = new ClockOffset();
  const tokens = new TokenKeeper({ getToken, clock, offset, log });
  return connectionOver({
    ...options,
    transport: new Socket({ url, apikey, tokens, clock, log }),
    page: browserPage(clock),
    tokens,
    offset,
    clock,
    log,
  });
}

/** A connection's parts, for tests that bring their own. */
export type ConnectionParts = Pick<ConnectionOptions, 'userId' | 'api' | 'log'> & {
  transport: Transport;
  page: Page;
  clock: Clock;
  offset?: ClockOffset;
  tokens?: Pick<TokenKeeper, 'fresh' | 'invalidate' | 'close'>;
};

/** Makes a connection of its parts. */
export function connectionOver(parts: ConnectionParts): Connection {
  return new TabConnection(parts);
}

class TabConnection implements Connection, ConnectionInternals {
  readonly #parts: ConnectionParts;
  readonly #offset: ClockOffset;
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  readonly #stopPage: () => void;
  readonly topics: TopicRegistry;
  readonly counted: Metrics = {
    eventsApplied: 0,
    duplicatesDropped: 0,
    gapsRecovered: 0,
    opened: 0,
    openFailures: 0,
    lost: 0,
    reconnects: 0,
    snapshotsLoaded: 0,
  };
  #state: ConnectionState = { status: 'connecting', lastEventAt: undefined, latencyMs: undefined };
  #isOpen = false;
  #hiddenAt = 0;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    this.#offset = parts.offset ?? new ClockOffset();
    const { transport, api, clock, page } = parts;
    this.topics = new TopicRegistry({
      transport,
      api,
      clock,
      isVisible: () => page.isVisible(),
      log: (message, details) => this.log(message, details),
      changed: () => this.#publish(),
      revoked: () => {
        for (const topic of this.topics.all) void topic.check();
      },
    });
    transport.onState((state) => {
      if (state === 'open') {
        if (this.counted.opened > 0) this.counted.reconnects += 1;
        this.counted.opened += 1;
      } else if (state === 'opening' && this.#isOpen) this.counted.lost += 1;
      this.#isOpen = state === 'open';
      this.topics.socketChanged(state);
      this.#publish();
    });
    this.#stopPage = page.onSignal((signal) => this.#page(signal));
  }

  get userId(): string {
    return this.#parts.userId;
  }

  get api(): RealtimeApi {
    return this.#parts.api;
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  get internals(): ConnectionInternals {
    return this;
  }

  subscribe(run: (state: ConnectionState) => void): () => void {
    this.#listeners.add(run);
    run(this.#state);
    return () => this.#listeners.delete(run);
  }

  connect(): void {
    this.#parts.transport.open();
  }

  close(): void {
    this.#stopPage();
    this.topics.close();
    this.#parts.tokens?.close();
    this.#parts.transport.close();
  }

  metrics(): Metrics {
    return { ...this.counted, openFailures: this.#parts.transport.openFailures?.() ?? 0 };
  }

  statusOf(topic: TopicFacts): ConnectionStatus {
    return this.#statusOf([topic]);
  }

  applied(event: LiveEvent): number {
    const now = this.clock.now();
    const latencyMs = this.#offset.latencyMs(event.at, now);
    this.#publish({ lastEventAt: now, latencyMs });
    return latencyMs;
  }

  serverNow(): number {
    return this.#offset.serverTime(this.clock.now());
  }

  changed(): void {
    this.#publish();
  }

  log(message: string, details?: unknown): void {
    this.#parts.log?.(message, details);
  }

  #statusOf(topics: readonly TopicFacts[]): ConnectionStatus {
    const { transport, page } = this.#parts;
    return connectionStatus({ socket: transport.state(), online: page.isOnline(), topics });
  }

  #page(signal: PageSignal): void {
    this.log(`page: ${signal}`);
    switch (signal) {
      case 'hidden':
        this.#hiddenAt = this.clock.now();
        for (const topic of this.topics.all) topic.visibilityChanged();
        return;
      case 'shown':
        for (const topic of this.topics.all) topic.visibilityChanged();
        if (this.clock.now() - this.#hiddenAt >= HIDDEN_TRUST_MS) this.#wake();
        return;
      case 'offline':
        this.#publish();
        for (const topic of this.topics.all) topic.changed();
        return;
      case 'woke':
        this.#offset.forget();
        this.#parts.tokens?.invalidate();
        this.#wake();
        return;
      case 'online':
        this.#wake();
    }
  }

  /** The network or the machine was away: nothing that was under way can be trusted. */
  #wake(): void {
    if (!this.#parts.page.isVisible()) {
      this.#hiddenAt = -Infinity; // when it is shown, then
      return;
    }
    // Later than Phoenix's client's own handlers of the same signal, which may already reopen.
    this.clock.after(0, () => {
      // One that expired meanwhile is replaced on the open socket too.
      this.#parts.tokens?.fresh().catch((error: unknown) => this.log('no token', error));
      this.#parts.transport.revive();
      for (const topic of this.topics.all) topic.woke();
      this.#publish();
    });
  }

  #publish(change: Partial<ConnectionState> = {}): void {
    const followed = this.topics.all.filter((topic) => topic.isFollowed);
    const status = this.#statusOf(followed.map((topic) => topic.facts));
    if (status === this.#state.status && Object.keys(change).length === 0) return;
    if (status !== this.#state.status) this.log(`connection: ${this.#state.status} → ${status}`);
    this.#state = { ...this.#state, ...change, status };
    for (const run of [...this.#listeners]) run(this.#state);
  }
}
