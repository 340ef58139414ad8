import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApi } from '@homeroom/api/server';
import { testDatabase } from '@homeroom/db/testing';
import { expect, it } from 'vitest';
import { apiErrorOf, createServiceClient } from './index.ts';

/** The API behind a real port, with a count of the requests that came in. */
async function serve(rateLimits = { query: 100, mutation: 100 }) {
  const db = await testDatabase();
  const api = createApi({
    supabaseUrl: 'http://127.0.0.1:9',
    publishableKey: 'sb_publishable_test',
    jwtSecret: db.jwtSecret,
    databaseUrl: db.url,
    logLevel: 'silent',
    rateLimits,
  });
  let requests = 0;
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    requests += 1;
    const response = await api.trpc(await toRequest(incoming), null);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(await response.text());
  };
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    db,
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await api.close();
      await db[Symbol.asyncDispose]();
    },
  };
}

async function toRequest(incoming: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
  const headers = Object.entries(incoming.headersDistinct).flatMap(([name, values]) =>
    (values ?? []).map((value): [string, string] => [name, value]),
  );
  const url = `http://127.0.0.1${incoming.url ?? '/'}`;
  return new Request(url, { method: incoming.method, headers, body });
}

it('calls as the bearer of its key, and sends calls of one moment together', async () => {
  await using served = await serve();
  const ann = await served.db.a.student();
  const client = createServiceClient({ url: served.url, key: await served.db.token(ann) });
  const [me, unread] = await Promise.all([
    client.identity.me.query(),
    client.notifications.unreadCount.query(),
  ]);
  expect(me).toMatchObject({ id: ann.id });
  expect(unread.data).toEqual({ unreadCount: 0 });
  expect(served.requests()).toBe(1);
});

it('asks for the key that is good now with every request', async () => {
  await using served = await serve();
  const ann = await served.db.a.student();
  const keys = [await served.db.token(ann, { expiresInSeconds: -60 }), await served.db.token(ann)];
  const client = createServiceClient({ url: served.url, key: () => keys.shift() ?? '' });
  await expect(client.identity.me.query()).rejects.toSatisfy(
    (error) => apiErrorOf(error)?.appCode === 'SESSION_EXPIRED',
  );
  expect(await client.identity.me.query()).toMatchObject({ id: ann.id });
});

it('tells what the API said of an error, and nothing of others', async () => {
  await using served = await serve({ query: 1, mutation: 1 });
  const key = await served.db.token(await served.db.a.student());
  const client = createServiceClient({ url: served.url, key });
  await client.identity.me.query();
  const refused = await client.identity.me.query().catch(apiErrorOf);
  expect(refused).toMatchObject({
    appCode: 'TOO_MANY_REQUESTS',
    retryAfterSeconds: expect.any(Number) as number,
  });

  const nowhere = createServiceClient({ url: 'http://127.0.0.1:9', key });
  expect(await nowhere.identity.me.query().catch(apiErrorOf)).toBeNull();
  expect(apiErrorOf(new Error('mine'))).toBeNull();
});
