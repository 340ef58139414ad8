/** From a socket to the thread of Auth and REST, and back. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AuthRest } from '../auth-rest/auth-rest.ts';

/** What REST may be sent at once; hosted allows about as much. */
const MAX_BODY_BYTES = 20 * 1024 * 1024;

/** Of one connection, not of the message. */
const HOP_HEADERS = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade', 'content-length', 'expect'],
]);

/** Hands a request over, and the answer back. */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  authRest: AuthRest,
): Promise<void> {
  const body = await readBody(request).catch(() => 'cut' as const);
  if (body === 'cut') {
    response.destroy();
    return;
  }
  if (body === 'too-large') {
    response
      .writeHead(413, { 'content-type': 'application/json', connection: 'close' })
      .end('{"message":"Request body too large"}');
    return;
  }
  const answer = await authRest.handle({
    method: request.method ?? 'GET',
    url: `http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`,
    headers: headersOf(request),
    body,
  });
  for (const [name, value] of answer.headers) {
    if (HOP_HEADERS.has(name) || name.startsWith('access-control-')) continue;
    if (name === 'set-cookie') response.appendHeader(name, value);
    else response.setHeader(name, value);
  }
  response.statusCode = answer.status;
  const mayHaveBody = request.method !== 'HEAD' && answer.status !== 204 && answer.status !== 304;
  response.end(mayHaveBody ? answer.body : undefined);
}

function headersOf(request: IncomingMessage): [string, string][] {
  return Object.entries(request.headersDistinct)
    .filter(([name]) => !HOP_HEADERS.has(name))
    .flatMap(([name, values = []]) => values.map((value): [string, string] => [name, value]));
}

/** Rejects if the client goes away before all has come. */
async function readBody(request: IncomingMessage): Promise<Uint8Array | null | 'too-large'> {
  if (request.method === 'GET' || request.method === 'HEAD') return null;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return 'too-large';
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
