/** One port for everything, as hosted Supabase: Auth, REST, Realtime, and the mail catcher. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AuthRest } from '../auth-rest/auth-rest.ts';
import type { Mailbox } from '../mail/mailbox.ts';
import { handleMail } from '../mail/mail-routes.ts';
import { PortTakenError } from '../postgres/errors.ts';
import type { RealtimeMetrics, RealtimeServer } from '../realtime/index.ts';
import { allowOrigins, answerPreflight } from './cors.ts';
import { forward } from './forward.ts';

/** What the gateway stands before. */
export type GatewayParts = {
  authRest: AuthRest;
  mailbox: Mailbox;
  startRealtimeServer(): Promise<RealtimeServer>;
  host: string;
  /** 0 for a free one. */
  port: number;
};

/** A gateway that listens. */
export type HttpGateway = {
  /** `http://127.0.0.1:54321`. */
  apiUrl: string;
  stopRealtime(): Promise<void>;
  startRealtime(): Promise<void>;
  /** Null while Realtime is stopped. */
  realtimeMetrics(): Promise<RealtimeMetrics | null>;
  /** Closes the port, cuts connections, stops Realtime. What is in flight is answered first. */
  stop(): Promise<void>;
};

/**
 * Connections that may wait until this process takes them, the most that Linux lets wait. Node's 511
 * are not enough for a crowd that comes back: the system drops the others' first packets, and they
 * try again after 1, 3, 7 and 15 s.
 */
const BACKLOG = 4096;

/** Listens, with Realtime running. @throws PortTakenError */
export async function openGateway(parts: GatewayParts): Promise<HttpGateway> {
  const realtime = new RealtimeSwitch(parts.startRealtimeServer);
  const server = createServer((request, response) => {
    allowOrigins(response);
    if (answerPreflight(request, response)) return;
    route(request, response, parts, realtime.current);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void upgrade(realtime, request, socket, head);
  });
  await listen(server, parts);
  try {
    await realtime.start();
  } catch (error) {
    await closeServer(server);
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const isEverywhere = parts.host === '0.0.0.0' || parts.host === '::';
  const host = isEverywhere ? '127.0.0.1' : parts.host;
  return {
    apiUrl: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    stopRealtime: () => realtime.stop(),
    startRealtime: () => realtime.start(),
    realtimeMetrics: () => realtime.current?.metrics() ?? Promise.resolve(null),
    async stop() {
      const closed = closeServer(server);
      await realtime.stop();
      await closed;
    },
  };
}

/** Who comes while Realtime starts waits for it: sent away, they would come back later still. */
async function upgrade(
  realtime: RealtimeSwitch,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const hangUp = (): unknown => socket.destroy();
  socket.on('error', hangUp);
  await realtime.settled();
  socket.off('error', hangUp);
  if (realtime.current === null) socket.destroy();
  else realtime.current.handleUpgrade(request, socket, head);
}

/** Realtime, on or off; changes happen one after the other. */
class RealtimeSwitch {
  current: RealtimeServer | null = null;
  readonly #start: () => Promise<RealtimeServer>;
  #last: Promise<void> = Promise.resolve();

  constructor(start: () => Promise<RealtimeServer>) {
    this.#start = start;
  }

  start(): Promise<void> {
    return this.#next(async () => {
      this.current ??= await this.#start();
    });
  }

  /** Resolves when no change is under way; at once when Realtime is there. */
  async settled(): Promise<void> {
    if (this.current === null) await this.#last;
  }

  stop(): Promise<void> {
    return this.#next(async () => {
      const stopping = this.current;
      this.current = null;
      await stopping?.close();
    });
  }

  #next(step: () => Promise<void>): Promise<void> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

function route(
  request: IncomingMessage,
  response: ServerResponse,
  { authRest, mailbox }: GatewayParts,
  realtime: RealtimeServer | null,
): void {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  if (path.startsWith('/auth/v1/') || path === '/rest/v1' || path.startsWith('/rest/v1/')) {
    void forward(request, response, authRest);
    return;
  }
  if (path === '/health') {
    const body = { status: 'ok', realtime: realtime === null ? 'stopped' : 'ok' };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    return;
  }
  if (path.startsWith('/realtime/v1/') && realtime === null) {
    response.writeHead(503).end();
    return;
  }
  if (realtime?.handleRequest(request, response) || handleMail(request, response, mailbox)) return;
  response
    .writeHead(404, { 'content-type': 'application/json' })
    .end('{"message":"no Route matched with those values"}');
}

async function listen(server: Server, { host, port }: GatewayParts): Promise<void> {
  server.listen({ port, host, backlog: BACKLOG });
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new PortTakenError(port, 'SUPABASE_PORT');
    }
    throw error;
  }
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  // Those that wait for an answer get it; then nobody is left who may hold the port.
  const patience = setTimeout(() => server.closeAllConnections(), 3000);
  await closed;
  clearTimeout(patience);
}
