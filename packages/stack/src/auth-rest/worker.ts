/** The thread of Auth and REST. */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { createPostgresConnection } from '@supabase/lite/postgres';
import postgres from 'postgres';
import { createAdminUsers } from './admin-users/routes.ts';
import { createAuth } from './auth.ts';
import { unlessBanned } from './banned.ts';
import { beforeMail } from './links/before-mail.ts';
import { createLinks, isLinkPath } from './links/routes.ts';
import { createRest } from './rest.ts';
import type { AuthRestSettings, FromWorker, ToWorker, WireRequest, WireResponse } from './wire.ts';

/** Of 19; at 10 a thread gets about a tenth of what it competes for. */
const THREAD_NICENESS = 10;

const port = parentPort;
if (port === null) throw new Error('This file is started as a worker thread.');
const settings = workerData as AuthRestSettings;
// Where cores are short, whoever signs in waits for everybody's events, not the other way round. Only
// Linux means this thread by it; elsewhere it would be the whole process.
if (process.platform === 'linux') setPriority(THREAD_NICENESS);
const send = (message: FromWorker) => port.postMessage(message);

/**
 * The library turns metadata into JSON text before it hands them over, and would have the text
 * stored as a JSON string, which no trigger could look into. And it shows times as it gets them:
 * clients are used to ISO times.
 */
const json = (oid: number) => ({
  ...{ to: oid, from: [oid] },
  serialize: (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value)),
  parse: (text: string): unknown => JSON.parse(text),
});
const authTypes = {
  json: json(114),
  jsonb: json(3802),
  timestamptz: {
    ...{ to: 1184, from: [1184] },
    serialize: (value: string) => value,
    parse: (text: string) => text.replace(' ', 'T').replace(/\+00$/, 'Z'),
  },
};
/** Idle connections go: many gateways may share one Postgres. */
const quiet = { onnotice: () => undefined, idle_timeout: 30 };
const catalog = createPostgresConnection({
  url: settings.catalogUrl,
  postgresOptions: { ...quiet, max: 2 },
});
const authConnection = createPostgresConnection({
  url: settings.authUrl,
  postgresOptions: { ...quiet, max: 8, types: authTypes },
});
const authSql = postgres(settings.authUrl, { ...quiet, max: 4 });

const rest = createRest({ settings, catalog });
const auth = createAuth({
  settings,
  connection: authConnection,
  onMail: (mail) => send({ kind: 'mail', mail }),
});
const adminUsers = createAdminUsers({ settings, sql: authSql });
const links = createLinks({
  settings,
  sql: authSql,
  onMail: (mail) => send({ kind: 'mail', mail }),
});

// Also called when the connection was lost and is back: what changed meanwhile isn't known.
const changes = postgres(settings.catalogUrl, { ...quiet, max: 1, idle_timeout: 0 });
const forgetSchema = () => void rest.forgetSchema();
await changes.listen('pgrst', forgetSchema, forgetSchema);

port.on('message', (message: ToWorker) => {
  if (message.kind === 'close') void close();
  else void answer(message.id, message.request);
});
send({ kind: 'ready' });

async function answer(id: number, wire: WireRequest): Promise<void> {
  try {
    const response = await route(wire);
    send({ kind: 'response', id, response: await toWire(response) });
  } catch (error) {
    const stack = error instanceof Error ? error.stack : String(error);
    send({ kind: 'failure', message: `${wire.method} ${wire.url}: ${stack}` });
    const failed = Response.json(
      { message: 'Unexpected failure', code: 'unexpected_failure' },
      { status: 500 },
    );
    send({ kind: 'response', id, response: await toWire(failed) });
  }
}

async function route(wire: WireRequest): Promise<Response> {
  const request = new Request(wire.url, {
    method: wire.method,
    headers: wire.headers,
    body: wire.body as Uint8Array<ArrayBuffer> | null,
  });
  const { pathname } = new URL(wire.url);
  if (isLinkPath(pathname)) return links(request);
  if (/^\/auth\/v1\/admin\/users(\/|$)/.test(pathname)) return adminUsers(request);
  if (/^\/auth\/v1(\/|$)/.test(pathname)) {
    const refusal = await beforeMail(request, { settings, sql: authSql });
    if (refusal !== null) return refusal;
    return unlessBanned(request, await auth(request), authSql);
  }
  if (/^\/rest\/v1(\/|$)/.test(pathname)) return rest.fetch(request);
  // Such as `/rest/v1/../_system`: the library has more to say than others should hear.
  return new Response('Not found', { status: 404 });
}

async function toWire(response: Response): Promise<WireResponse> {
  return {
    status: response.status,
    headers: [...response.headers],
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

async function close(): Promise<void> {
  await Promise.all([
    changes.end({ timeout: 1 }),
    authSql.end({ timeout: 1 }),
    authConnection.driver.end({ timeout: 1 }),
    catalog.driver.end({ timeout: 1 }),
    rest.close(),
  ]);
  port?.close();
}
