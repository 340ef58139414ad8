/** Postgres and a Realtime server that can be broken, each a process of its own, and mended. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import pg from 'pg';
import { bootstrapDatabase, createRoles } from '../../bootstrap/bootstrap.ts';
import { openCluster, type Cluster } from '../../postgres/cluster.ts';
import type { RealtimeLimits } from '../index.ts';
import { RawSocket } from '../testing/raw-socket.ts';
import type { Answer, Memory, Question } from './server-process.ts';

const JWT_SECRET = 'a-secret-for-tests-with-at-least-32-characters';
const DATABASE = 'broken';

export type RigOptions = {
  /** Run on the fresh database. */
  sql?: string;
  limits?: Partial<RealtimeLimits>;
  /** Of Postgres. */
  settings?: Record<string, string>;
  /** Where Postgres keeps its data; a temporary folder otherwise. */
  folder?: string;
};

export class Rig implements AsyncDisposable {
  readonly #folder: string;
  readonly #options: RigOptions;
  readonly #sockets: RawSocket[] = [];
  readonly #log: PostgresLog;
  #cluster: Cluster;
  #db: pg.Pool;
  #server: ChildProcess | null = null;
  #answer: PromiseWithResolvers<Answer> | null = null;
  #port = 0;

  private constructor(folder: string, cluster: Cluster, log: PostgresLog, options: RigOptions) {
    this.#folder = folder;
    this.#log = log;
    this.#cluster = cluster;
    this.#options = options;
    this.#db = this.#pool();
  }

  /** Everything runs. */
  static async start(options: RigOptions = {}): Promise<Rig> {
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'broken-')));
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o711);
    const log = new PostgresLog();
    const cluster = await openRigCluster(folder, 0, log, options);
    await createRoles(cluster.adminUrl('postgres'));
    const admin = new pg.Client(cluster.adminUrl('postgres'));
    await admin.connect();
    await admin.query(`create database ${DATABASE} owner postgres`);
    await admin.end();
    await bootstrapDatabase(cluster.adminUrl(DATABASE));
    const rig = new Rig(folder, cluster, log, options);
    if (options.sql !== undefined) await rig.db.query(options.sql);
    await rig.startServer();
    return rig;
  }

  /** Connections as superuser. */
  get db(): pg.Pool {
    return this.#db;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts the server, the second time on the port of the first. */
  async startServer(): Promise<void> {
    const server = fork(new URL('./server-process.ts', import.meta.url), {
      execArgv: ['--expose-gc'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#server = server;
    server.on('message', (answer: Answer) => this.#answer?.resolve(answer));
    server.once('exit', () => this.#answer?.reject(new Error('The server died')));
    const answer = await this.#ask({
      ask: 'start',
      adminUrl: this.#cluster.adminUrl(DATABASE),
      jwtSecret: JWT_SECRET,
      port: this.#port,
      limits: this.#options.limits ?? {},
    });
    if ('port' in answer) this.#port = answer.port;
  }

  /** Ends the server as a crash does: it closes nothing. */
  async killServer(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const gone = once(server, 'exit');
    server.kill('SIGKILL');
    await gone;
  }

  async memory(): Promise<Memory> {
    const answer = await this.#ask({ ask: 'memory' });
    if (!('used' in answer)) throw new Error('Asked for memory, answered something else');
    return answer;
  }

  /** Puts the server's clock so much ahead of the right time. */
  async setClock(offsetMs: number): Promise<void> {
    await this.#ask({ ask: 'setClock', offsetMs });
  }

  /** One question at a time. */
  #ask(question: Question): Promise<Answer> {
    const answer = (this.#answer = Promise.withResolvers<Answer>());
    if (this.#server === null) answer.reject(new Error('There is no server'));
    else this.#server.send(question);
    return answer.promise;
  }

  /** Stops Postgres in order, does `meanwhile`, and starts it again. */
  async restartPostgres(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const { port } = this.#cluster;
    await this.#cluster.stop();
    await meanwhile();
    this.#cluster = await openRigCluster(this.#folder, port, this.#log, this.#options);
    this.#db = this.#pool();
  }

  /** Kills one backend, upon which Postgres ends all others, throws its memory away and recovers. */
  async crashPostgres(): Promise<void> {
    const client = new pg.Client(this.#cluster.adminUrl(DATABASE));
    client.on('error', () => undefined);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const recovered = this.#log.next('ready to accept connections');
    process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
    await recovered;
  }

  /** An access token of the time `nowMs`, which lasts an hour. */
  token(sub: string, nowMs = Date.now()): Promise<string> {
    return new SignJWT({ role: 'authenticated', sub })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime(Math.floor(nowMs / 1000) + 3_600)
      .sign(new TextEncoder().encode(JWT_SECRET));
  }

  /** A socket that has joined `realtime:room` and hears the changes of these tables. */
  async listener(...tables: string[]): Promise<RawSocket> {
    const socket = await RawSocket.open(this.url);
    this.#sockets.push(socket);
    const changes = tables.map((table) => ({ event: '*', schema: 'public', table }));
    await socket.join('realtime:room', { config: { postgres_changes: changes } });
    if (tables.length > 0) await socket.next((frame) => frame.event === 'system');
    return socket;
  }

  #pool(): pg.Pool {
    const pool = new pg.Pool({ connectionString: this.#cluster.adminUrl(DATABASE) });
    // What is broken on purpose breaks these connections too.
    pool.on('error', () => undefined);
    return pool;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await this.killServer();
    await this.#db.end();
    await this.#cluster.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** What Postgres writes. */
class PostgresLog {
  readonly #waiting = new Map<string, () => void>();

  readonly onLine = (line: string): void => {
    for (const [part, resolve] of this.#waiting) {
      if (!line.includes(part)) continue;
      this.#waiting.delete(part);
      resolve();
    }
  };

  /** Resolves with the next line that has this in it. */
  next(part: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(part, resolve));
  }
}

function openRigCluster(
  dataDir: string,
  port: number,
  { onLine }: PostgresLog,
  { settings }: RigOptions,
): Promise<Cluster> {
  // What was committed must be there after a crash of Postgres, if not of the machine.
  const all = { synchronous_commit: 'on', full_page_writes: 'on', ...settings };
  return openCluster({ dataDir, port, isThrowAway: true, settings: all, onLine });
}

/** The id of the row that a `postgres_changes` frame tells of. */
export function changedId(payload: Record<string, unknown> | undefined): unknown {
  const { record } = payload?.['data'] as { record: { id: unknown } };
  return record.id;
}
