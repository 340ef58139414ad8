/** One Realtime server: its parts, put together. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { WebSocketServer, type WebSocket } from 'ws';
import { Policies } from './authorization/policies.ts';
import { DatabaseBroadcasts, isMessagesTable } from './broadcast/from-database.ts';
import { handleBroadcastRequest } from './broadcast/http.ts';
import { KeptBroadcasts } from './broadcast/persist.ts';
import { Replay } from './broadcast/replay.ts';
import { countDeliveries } from './channel/flood.ts';
import { detach } from './channel/lifecycle.ts';
import { receive } from './channel/router.ts';
import { Topics } from './channel/topic.ts';
import type { RealtimeServer, RealtimeServerOptions } from './index.ts';
import { defaultLimits } from './limits.ts';
import { MetricsEndpoint } from './metrics/http.ts';
import { logLagBytes } from './metrics/log-lag.ts';
import { DROP_REASONS, type DropReason, Meter, type RealtimeMetrics } from './metrics/meter.ts';
import { PostgresChanges } from './postgres-changes/postgres-changes.ts';
import { Rate } from './rate.ts';
import {
  CHANGES_PUBLICATION,
  ensurePublications,
  maintainPartitions,
  MESSAGES_PUBLICATION,
} from './replication/maintenance.ts';
import { ReplicationStream } from './replication/stream.ts';
import type { Services } from './services.ts';
import { Congestion } from './socket/congestion.ts';
import { Connection, type Handshake } from './socket/connection.ts';
import { Flusher } from './socket/flusher.ts';
import { HandshakeRefused, readHandshake, refuse } from './socket/handshake.ts';
import { sweep } from './socket/sweep.ts';
import { TokenVerifier } from './token/verifier.ts';

/** Close code that tells clients to come back: the server restarts. */
const SERVICE_RESTART = 1012;
/** How long sockets may take to answer the close at the server's end. */
const GOODBYE_MS = 500;
const MAINTENANCE_INTERVAL_MS = 3_600_000;
/** Connections that ask policies and read replays. */
const POOL_SIZE = 4;

/** Builds the parts, starts reading the log, and gives the server's face. */
export async function openRealtimeServer(options: RealtimeServerOptions): Promise<RealtimeServer> {
  const server = new Server(options);
  try {
    await server.start();
  } catch (error) {
    await server.close();
    throw error;
  }
  const endpoint = new MetricsEndpoint(server.services.tokens, () => server.metrics());
  return {
    handleUpgrade: (request, socket, head) => server.handleUpgrade(request, socket, head),
    handleRequest: (request, response) =>
      endpoint.handle(request, response) ||
      handleBroadcastRequest(server.services, request, response),
    metrics: () => server.metrics(),
    close: () => server.close(),
  };
}

class Server {
  readonly services: Services;
  readonly #meter = new Meter();
  readonly #pool: pg.Pool;
  readonly #broadcasts: DatabaseBroadcasts;
  readonly #stream: ReplicationStream;
  readonly #flusher: Flusher;
  readonly #congestion = new Congestion((isCongested) => {
    if (isCongested) this.#stream.pause('readers');
    else this.#stream.resume('readers');
  });
  readonly #connections = new Set<Connection>();
  readonly #webSockets: WebSocketServer;
  #timers: NodeJS.Timeout[] = [];
  /** A coarse clock that never jumps. */
  #nowMs = performance.now();
  #closing: Promise<void> | null = null;

  constructor(options: RealtimeServerOptions) {
    const limits = { ...defaultLimits, ...options.limits };
    const log: Services['log'] = (entry) => options.onLog?.(entry);
    this.#pool = new pg.Pool({
      connectionString: options.adminUrl,
      max: POOL_SIZE,
      application_name: 'realtime',
    });
    // An idle connection that breaks is replaced when it is needed; the stream reports the fault.
    this.#pool.on('error', (error) =>
      log({ level: 'warning', part: 'database', message: error.message }),
    );
    this.#flusher = new Flusher((error) =>
      log({ level: 'error', part: 'socket', message: `a frame was lost: ${String(error)}` }),
    );
    const topics = new Topics({
      flusher: this.#flusher,
      onBroadcast: (topic, deliveries) => countDeliveries(this.services, topic, deliveries),
      onPresence: (deliveries) => {
        this.#meter.presenceDiffsOut += deliveries;
        this.services.presenceEvents.count(Date.now(), deliveries);
      },
    });
    const changes = new PostgresChanges({
      pool: this.#pool,
      url: options.adminUrl,
      flush: this.#flusher.flush,
      changeBytes: limits.changeBytes,
      meter: this.#meter,
      pause: () => this.#stream.pause('judging'),
      resume: () => this.#stream.resume('judging'),
      relief: () => this.#congestion.relief(),
      log,
    });
    const replay = new Replay(this.#pool);
    const broadcasts = (this.#broadcasts = new DatabaseBroadcasts(
      topics,
      limits.payloadBytes,
      (message) => {
        this.#meter.drops.largePayload += 1;
        log({ level: 'error', part: 'broadcast', message });
      },
    ));
    this.#stream = new ReplicationStream({
      url: options.adminUrl,
      publications: [CHANGES_PUBLICATION, MESSAGES_PUBLICATION],
      isWanted: (relation, kind) =>
        isMessagesTable(relation) ? kind === 'INSERT' : changes.isWanted(relation, kind),
      onChange: (change) => {
        if (!isMessagesTable(change.relation)) {
          changes.accept(change);
        } else if (change.kind === 'INSERT') {
          replay.told(change.xid);
          if (this.services.events.isReached(Date.now())) this.#meter.drops.overRate += 1;
          else broadcasts.deliver(change.relation, change.new);
        }
      },
      // At once rather than at the end of this turn, which costs a tenth of a millisecond.
      onReadEnd: this.#flusher.flush,
      onRelation: (relation) => changes.forget(relation),
      prepare: () => this.#prepareDatabase(),
      catchUp: async () => {
        await broadcasts.catchUp(this.#pool);
        changes.announceAgain();
      },
      onLog: log,
    });
    this.services = {
      limits,
      meter: this.#meter,
      topics,
      changes,
      log,
      tokens: new TokenVerifier(options),
      policies: new Policies(this.#pool, this.#meter),
      replay,
      kept: new KeptBroadcasts(this.#pool, limits.payloadBytes, (message) =>
        log({ level: 'error', part: 'broadcast', message }),
      ),
      joins: new Rate(limits.joinsPerSecond, limits.rateTickMs),
      events: new Rate(limits.eventsPerSecond, limits.rateTickMs),
      presenceEvents: new Rate(limits.presenceEventsPerSecond, limits.rateTickMs),
      isStreaming: () => this.#stream.isStreaming,
      streaming: () => this.#stream.streaming(),
      now: () => Date.now(),
    };
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload: limits.frameBytes,
    });
  }

  async start(): Promise<void> {
    await this.#stream.start();
    await this.#broadcasts.noteExisting(this.#pool);
    await this.services.changes.begin();
    const sweeping = setInterval(() => {
      this.#nowMs = performance.now();
      sweep(this.services, this.#connections, this.#nowMs);
    }, this.services.limits.sweepIntervalMs);
    const maintenance = setInterval(() => {
      this.#prepareDatabase().catch((error: unknown) =>
        this.services.log({ level: 'error', part: 'maintenance', message: String(error) }),
      );
    }, MAINTENANCE_INTERVAL_MS);
    this.#timers = [sweeping.unref(), maintenance.unref()];
  }

  async #prepareDatabase(): Promise<void> {
    await ensurePublications(this.#pool);
    await maintainPartitions(this.#pool);
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const onError = (): void => {
      socket.destroy();
    };
    socket.on('error', onError);
    this.#admit(request)
      .then((handshake) => {
        socket.off('error', onError);
        this.#webSockets.handleUpgrade(request, socket, head, (ws) =>
          this.#open(handshake, ws, socket),
        );
      })
      .catch((error: unknown) => {
        this.#meter.handshakesRefused += 1;
        refuse(socket, error);
      });
  }

  async #admit(request: IncomingMessage): Promise<Handshake> {
    const handshake = await readHandshake(request, this.services.tokens);
    if (this.#closing !== null) throw new HandshakeRefused(503, 'Realtime is restarting');
    if (this.#connections.size >= this.services.limits.connections) {
      throw new HandshakeRefused(429, 'Too many connected users');
    }
    if (this.services.joins.isReached(Date.now())) {
      throw new HandshakeRefused(429, 'Too many joins per second');
    }
    return handshake;
  }

  #open(handshake: Handshake, ws: WebSocket, socket: Duplex): void {
    const { services } = this;
    const connection = new Connection(
      handshake,
      {
        ws,
        socket,
        flusher: this.#flusher,
        meter: this.#meter,
        bufferedBytes: services.limits.bufferedBytes,
        nowMs: this.#nowMs,
      },
      this.#connectionEvents,
    );
    this.#connections.add(connection);
    this.#meter.connectionsOpened += 1;
    const heard = (): void => {
      connection.lastHeardMs = this.#nowMs;
    };
    ws.on('message', (data: Buffer, isBinary: boolean) => {
      heard();
      connection.receive(data, isBinary);
    });
    ws.on('ping', heard);
    ws.on('pong', heard);
    ws.on('error', (error) =>
      services.log({ level: 'warning', part: 'socket', message: error.message }),
    );
    ws.on('close', () => connection.closed());
  }

  readonly #connectionEvents = {
    onMessage: (connection: Connection, message: Parameters<typeof receive>[2]): void => {
      try {
        receive(this.services, connection, message);
      } catch (error) {
        this.services.log({ level: 'error', part: 'socket', message: String(error) });
      }
    },
    onClose: (connection: Connection): void => {
      this.#connections.delete(connection);
      for (const channel of [...connection.channels.values()]) detach(this.services, channel);
    },
    onBehind: (connection: Connection): void => this.#congestion.note(connection),
    onDrop: (reason: DropReason): void => {
      this.#meter.drops[reason] += 1;
      this.services.log({ level: 'warning', part: 'socket', message: DROP_REASONS[reason] });
    },
  };

  async metrics(): Promise<RealtimeMetrics> {
    let channels = 0;
    for (const connection of this.#connections) channels += connection.channels.size;
    return {
      ...this.#meter,
      drops: { ...this.#meter.drops },
      connections: this.#connections.size,
      channels,
      topics: this.services.topics.size,
      logLagBytes: await logLagBytes(this.#pool),
    };
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const leaving = [...this.#connections];
    for (const connection of leaving) connection.close(SERVICE_RESTART, '');
    // What answers the close in time ends well; the rest is cut.
    await Promise.race([
      Promise.all(leaving.map((one) => one.ended())),
      sleep(GOODBYE_MS, undefined, { ref: false }),
    ]);
    for (const connection of leaving) connection.terminate();
    await this.#stream.close();
    await this.services.changes.close();
    await this.#pool.end();
  }
}
