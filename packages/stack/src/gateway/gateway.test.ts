import { type IncomingMessage, request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGateway } from '../testing/throw-away-gateway.ts';
import { type TestProject, testProject } from '../testing/test-project.ts';

let project: TestProject;
let url: string;

beforeAll(async () => {
  project = await testProject(`
    create policy everybody on realtime.messages for select to authenticated using (true);`);
  url = project.gateway.apiUrl;
});

afterAll(() => project[Symbol.asyncDispose]());

it('says how it is', async () => {
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok', realtime: 'ok' });
  expect((await fetch(`${url}/nothing`)).status).toBe(404);
});

it('lets browsers of any origin ask the API', async () => {
  const preflight = await fetch(`${url}/rest/v1/notes`, {
    method: 'OPTIONS',
    headers: {
      origin: 'http://localhost:5173',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'apikey,content-type,x-client-info',
    },
  });
  expect(preflight.status).toBe(200);
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
  expect(preflight.headers.get('access-control-allow-headers')).toContain('x-client-info');
  for (const path of ['/auth/v1/settings', '/rest/v1/notes']) {
    const answer = await fetch(url + path, { headers: { origin: 'http://localhost:5173' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  }
});

it('keeps what lies beside Auth and REST to itself', async () => {
  for (const path of [
    '/_system/config',
    '/rest/v1/../../_system/config',
    '/auth/v1/%2e%2e/%2e%2e/_system/config',
  ]) {
    expect(await rawStatus(path)).toBe(404);
  }
});

it('refuses a body that is too large', async () => {
  const answer = await fetch(`${url}/rest/v1/notes`, {
    method: 'POST',
    body: new Uint8Array(21 * 1024 * 1024),
  }).catch(() => null);
  // Answered, or cut while the client was still sending.
  expect([413, undefined]).toContain(answer?.status);
  expect((await fetch(`${url}/health`)).status).toBe(200);
});

it('listens on this machine only', async () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal);
  if (outside === undefined) return;
  const socket = connect(Number(new URL(url).port), outside.address);
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
});

it('names the variable of a port that is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { options } = project.sql;
  const database = `127.0.0.1:${options.port[0]}/project`;
  const attempt = startGateway({
    dbUrl: `postgres://postgres:postgres@${database}`,
    adminUrl: `postgres://supabase_admin:postgres@${database}`,
    port,
  });
  await expect(attempt).rejects.toThrow(
    `Port ${port} is taken. Free it, or choose another one with SUPABASE_PORT.`,
  );
  other.close();
});

describe('the mail catcher', () => {
  it('shows mails on a page and as JSON, and forgets them', async () => {
    await project.client().auth.signUp({ email: 'ann@school.test', password: 'correct horse' });
    const page = await (await fetch(project.gateway.mailUrl)).text();
    expect(page).toContain('ann@school.test');
    expect(page).toContain('/auth/confirm?token_hash=');
    expect(await project.mails('ANN@school.test')).toHaveLength(1);
    await fetch(`${project.gateway.mailUrl}/api/messages`, { method: 'DELETE' });
    expect(await project.mails('ann@school.test')).toEqual([]);
  });

  it('is closed to web pages that reach this machine by a name of their own', async () => {
    expect(await rawStatus('/mail', { host: 'evil.test' })).toBe(403);
    expect(await rawStatus('/mail/api/messages', { host: 'evil.test:54321' })).toBe(403);
  });
});

describe('Realtime', () => {
  it('is cut, and comes back on the same port', async () => {
    const client = project.client();
    const channel = client.channel('room');
    const statuses: string[] = [];
    const waiting = new Map<string, () => void>();
    const reached = (status: string) =>
      new Promise<void>((resolve) => waiting.set(status, resolve));
    const joined = reached('SUBSCRIBED');
    channel.subscribe((status) => {
      statuses.push(status);
      waiting.get(status)?.();
    });
    await joined;

    const failed = reached('CHANNEL_ERROR');
    await project.gateway.stopRealtime();
    await failed;
    expect(await (await fetch(`${url}/health`)).json()).toEqual({
      status: 'ok',
      realtime: 'stopped',
    });
    expect((await fetch(`${url}/realtime/v1/api/broadcast`, { method: 'POST' })).status).toBe(503);

    const back = reached('SUBSCRIBED');
    await project.gateway.startRealtime();
    await back;
    await client.realtime.disconnect();
  });

  it('lets those wait who come while it starts', async () => {
    await project.gateway.stopRealtime();
    const starting = project.gateway.startRealtime();
    const socket = new WebSocket(
      `${url.replace('http', 'ws')}/realtime/v1/websocket?apikey=${project.gateway.publishableKey}`,
    );
    await Promise.all([starting, once(socket, 'open')]);
    socket.close();
  });
});

/** Asks with a path and headers exactly as given. */
async function rawStatus(path: string, headers: Record<string, string> = {}): Promise<number> {
  const { hostname, port } = new URL(url);
  const apikey = project.gateway.secretKey;
  const asked = request({ hostname, port, path, headers: { apikey, ...headers } }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  return answer.statusCode ?? 0;
}
