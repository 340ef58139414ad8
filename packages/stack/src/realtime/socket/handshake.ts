/** What a client must bring to open a socket. */
import { type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SerializerVersion } from '../codec/client-message.ts';
import { TokenError } from '../token/errors.ts';
import type { TokenVerifier } from '../token/verifier.ts';
import type { Handshake } from './connection.ts';

/** Behind Supabase's gateway, and at the server itself. */
const SOCKET_PATHS = new Set(['/realtime/v1/websocket', '/socket/websocket']);

/** The handshake is refused with this status. */
export class HandshakeRefused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Reads and checks the upgrade request. Throws {@link HandshakeRefused}. */
export async function readHandshake(
  request: IncomingMessage,
  tokens: TokenVerifier,
): Promise<Handshake> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (!SOCKET_PATHS.has(url.pathname)) throw new HandshakeRefused(404, 'Not Found');
  const version = serializerVersion(url.searchParams.get('vsn'));
  if (version === null) throw new HandshakeRefused(403, '');
  const header = request.headers['x-api-key'];
  const apikey = typeof header === 'string' ? header : url.searchParams.get('apikey');
  if (apikey === null || apikey === '') throw new HandshakeRefused(401, 'Missing API key');
  try {
    const claims = await tokens.verify(apikey);
    return { version, claims, headers: customHeaders(request.headers) };
  } catch (error) {
    if (error instanceof TokenError) throw new HandshakeRefused(401, error.message);
    throw error;
  }
}

function serializerVersion(vsn: string | null): SerializerVersion | null {
  if (vsn === null || vsn === '1.0.0') return '1.0.0';
  return vsn === '2.0.0' ? vsn : null;
}

/** The `x-…` headers as JSON text; most clients send none, and then share one string. */
function customHeaders(headers: IncomingHttpHeaders): string {
  const custom = Object.entries(headers).filter(([name]) => name.startsWith('x-'));
  return custom.length === 0 ? '{}' : JSON.stringify(Object.fromEntries(custom));
}

/** Answers an upgrade that is refused, and hangs up. */
export function refuse(socket: Duplex, error: unknown): void {
  const status = error instanceof HandshakeRefused ? error.status : 500;
  const message = error instanceof HandshakeRefused ? error.message : 'Internal server error';
  const body = message === '' ? '' : JSON.stringify({ error: message });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
