/** A Realtime server on a database of its own, with clients to try it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createClient,
  type RealtimeChannel,
  type RealtimeClientOptions,
  type SupabaseClient,
} from '@supabase/supabase-js';
import { SignJWT } from 'jose';
import pg from 'pg';
import { bootstrapDatabase, startPostgres } from '../../testing/index.ts';
import {
  machineLimits,
  startRealtimeServer,
  type RealtimeLimits,
  type RealtimeMetrics,
  type RealtimeServer,
} from '../index.ts';

const JWT_SECRET = 'a-secret-for-tests-with-at-least-32-characters';

export class Realtime implements AsyncDisposable {
  readonly db: pg.Pool;
  readonly #adminUrl: string;
  readonly #stopPostgres: () => Promise<void>;
  readonly #clients: SupabaseClient[] = [];
  #limits: Partial<RealtimeLimits> = {};
  #http: Server | null = null;
  #server: RealtimeServer | null = null;
  #port = 0;

  private constructor(adminUrl: string, stopPostgres: () => Promise<void>) {
    this.#adminUrl = adminUrl;
    this.#stopPostgres = stopPostgres;
    this.db = new pg.Pool({ connectionString: adminUrl });
    // Tests end connections on purpose.
    this.db.on('error', () => undefined);
  }

  /** A fresh Postgres, bootstrapped, with `sql` run on it, and a server without rates but those given. */
  static async start(sql = '', limits: Partial<RealtimeLimits> = {}): Promise<Realtime> {
    const postgres = await startPostgres();
    await postgres.createDatabase('realtime_test');
    const adminUrl = postgres.adminUrl('realtime_test');
    await bootstrapDatabase(adminUrl);
    const realtime = new Realtime(adminUrl, () => postgres.stop());
    realtime.#limits = limits;
    if (sql !== '') await realtime.db.query(sql);
    await realtime.startServer();
    return realtime;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts the server, after {@link stopServer} on the same port. */
  async startServer(limits: Partial<RealtimeLimits> = this.#limits): Promise<void> {
    const server = await startRealtimeServer({
      adminUrl: this.#adminUrl,
      jwtSecret: JWT_SECRET,
      publishableKey: 'sb_publishable_test',
      secretKey: 'sb_secret_test',
      limits: { ...machineLimits, ...limits },
    });
    const http = createServer((request, response) => {
      if (!server.handleRequest(request, response)) response.writeHead(404).end();
    });
    http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head));
    await new Promise<void>((resolve) => http.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (http.address() as AddressInfo).port;
    this.#server = server;
    this.#http = http;
  }

  async stopServer(): Promise<void> {
    await this.#server?.close();
    const http = this.#http;
    http?.closeAllConnections();
    await new Promise((resolve) => (http === null ? resolve(null) : http.close(resolve)));
  }

  /** What the running server has counted. */
  metrics(): Promise<RealtimeMetrics> {
    if (this.#server === null) throw new Error('The server was not started');
    return this.#server.metrics();
  }

  /** Signs an access token; `expiresInSeconds` may be negative. */
  token(sub: string, expiresInSeconds = 3600, secret = JWT_SECRET): Promise<string> {
    return new SignJWT({ role: 'authenticated', sub, nonce: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(Math.floor(Date.now() / 1000) + expiresInSeconds)
      .sign(new TextEncoder().encode(secret));
  }

  /** A supabase-js client, signed in as `user` if given. */
  async client(user?: string, options: RealtimeClientOptions = {}): Promise<SupabaseClient> {
    const token = user === undefined ? null : await this.token(user);
    const client = createClient(this.url, 'sb_publishable_test', {
      realtime: options,
      accessToken: () => Promise.resolve(token),
    });
    // Otherwise the first join could leave before the token is known.
    if (token !== null) await client.realtime.setAuth();
    this.#clients.push(client);
    return client;
  }

  /** `realtime.send` from SQL. */
  async send(topic: string, event: string, payload: object, isPrivate = true): Promise<void> {
    const values = [JSON.stringify(payload), event, topic, isPrivate];
    await this.db.query('select realtime.send($1::jsonb, $2, $3, $4)', values);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.realtime.disconnect();
    await this.stopServer();
    await this.db.end();
    await this.#stopPostgres();
  }
}

/** Subscribes; rejects with the error if the join is refused. */
export function subscribed(channel: RealtimeChannel): Promise<RealtimeChannel> {
  return new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (`${status}` === 'SUBSCRIBED') resolve(channel);
      else reject(error ?? new Error(status));
    });
  });
}

/** Gathers what comes, and lets a test wait for it. */
export class Inbox<T> {
  readonly all: T[] = [];
  #waiting: (() => void)[] = [];

  readonly put = (item: T): void => {
    this.all.push(item);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  /** Resolves with the first that fits, among those that came and those to come. */
  async find(fits: (item: T) => boolean = () => true): Promise<T> {
    for (;;) {
      const found = this.all.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Resolves once `count` have come. */
  async count(count: number): Promise<T[]> {
    while (this.all.length < count)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.all;
  }
}
