// Serves a portal's build: `node serve-portal.ts <build folder>`, with HOST, PORT and ORIGIN.
// adapter-node's own server takes https for granted where no proxy says otherwise; this one takes
// the protocol from ORIGIN, so that the same build serves http://localhost and https behind a proxy.
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

const server = createServer((request, response) => {
  request.headers[protocolHeader] = protocol;
  handler(request, response, () => {
    response.writeHead(404).end();
  });
});
server.listen(Number(PORT), HOST);

process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), stopGraceMs).unref();
});
