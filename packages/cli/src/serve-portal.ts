// Serves a portal's build: `node serve-portal.ts <build folder>`, with HOST, PORT and ORIGIN.
// adapter-node's own server takes https for granted where no proxy says otherwise; this one takes
// the protocol from ORIGIN, so that the same build serves http://localhost and https behind a proxy.
import type { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** How long open requests may take to end once we are asked to stop. */
const stopGraceMs = 2000;
const protocolHeader = 'x-forwarded-proto';

const { HOST = '127.0.0.1', PORT = '3000', ORIGIN = `http://localhost:${PORT}` } = process.env;
const protocol = new URL(ORIGIN).protocol.slice(0, -1);
process.env.PROTOCOL_HEADER = protocolHeader;

const folder = resolve(process.argv[2] ?? 'build');
// The handler reads its environment while it is loaded.
const { handler } = (await import(pathToFileURL(`${folder}/handler.js`).href)) as {
  handler: Handler;
};

/**
 * Where a mail program unsubscribes with one click (RFC 8058): it posts a form without an origin,
 * which SvelteKit refuses. The key in the address is all the right that it takes, no cookie counts.
 */
const oneClickPath = /^\/digest\/[^/]+$/;

const server = createServer((request, response) => {
  request.headers[protocolHeader] = protocol;
  if (request.method === 'POST' && oneClickPath.test(request.url ?? '')) {
    request.headers.origin ??= ORIGIN;
  }
  handler(request, response, () => {
    response.writeHead(404).end();
  });
});
server.listen(Number(PORT), HOST);

process.once('SIGTERM', () => {
  server.close(() => {
    // As adapter-node's own server says it: the portal ends what it holds open, sends what is still
    // to be sent, and then nothing keeps the process.
    (process as EventEmitter).emit('sveltekit:shutdown', 'SIGTERM');
    setTimeout(() => process.exit(0), stopGraceMs).unref();
  });
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), stopGraceMs).unref();
});
