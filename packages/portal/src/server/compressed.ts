import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const gzipped = promisify(gzip);

/**
 * A page, compressed for a browser that takes it so: they are served without a proxy too, and a page
 * with everything that it shows is ten times as big as on the wire. Scripts and styles were
 * compressed when they were built; everything else stays as it is.
 */
export async function compressed(request: Request, response: Response): Promise<Response> {
  const { headers, status, statusText } = response;
  const isPage = headers.get('content-type')?.startsWith('text/html') ?? false;
  if (!isPage || response.body === null || headers.has('content-encoding')) return response;
  headers.append('vary', 'accept-encoding');
  if (!/\bgzip\b/.test(request.headers.get('accept-encoding') ?? '')) return response;
  const body = await gzipped(await response.arrayBuffer());
  headers.set('content-encoding', 'gzip');
  headers.delete('content-length');
  // Not the same bytes any more, though the same page (RFC 9110, 8.8.1).
  const etag = headers.get('etag');
  if (etag?.startsWith('"')) headers.set('etag', `W/${etag}`);
  return new Response(new Uint8Array(body), { status, statusText, headers });
}
