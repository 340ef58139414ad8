import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServiceScope } from '@homeroom/api/kinds';
import { createApi } from '@homeroom/api/server';
import { testDatabase } from '@homeroom/db/testing';

/** `cut`: it is done, and the connection breaks before the answer. `silence`: nothing, ever. */
export type ServeFailure = 'cut' | 'silence';

/** The API behind a real port, with a count of the requests that came in. */
export async function serve(rateLimits = { query: 100, mutation: 100 }) {
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
  let failures: (ServeFailure | undefined)[] = [];
  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    requests += 1;
    const failure = failures.shift();
    if (failure === 'silence') return;
    const wanted = await toRequest(incoming);
    // The worst moment to fail: it was done, and the caller doesn't know.
    const response = await api.trpc(wanted, null);
    if (failure === 'cut') {
      outgoing.destroy();
      return;
    }
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
    /** What becomes of the next requests, in order. */
    fail(...next: (ServeFailure | undefined)[]): void {
      failures = next;
    },
    /** A service key with these scopes, and no others. */
    async serviceKey(scopes: ServiceScope[]): Promise<string> {
      const session = await api.verifyToken(await db.token(await db.a.admin()));
      const { key } = await api.caller(session).serviceKeys.create({ name: 'Test', scopes });
      return key;
    },
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
