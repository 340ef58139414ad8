/** Browsers of any origin may call the API, as on hosted: keys and tokens guard it, no cookies. */
import type { IncomingMessage, ServerResponse } from 'node:http';

const isPublic = (request: IncomingMessage) =>
  /^\/(auth|rest|realtime)\/v1(\/|$)/.test(request.url ?? '');

/** Set on every answer of the API; what the parts behind set themselves is left out. */
export function allowOrigins(response: ServerResponse): void {
  if (!isPublic(response.req)) return;
  response.setHeader('access-control-allow-origin', '*');
  response.setHeader(
    'access-control-expose-headers',
    'content-range, content-profile, preference-applied, location, link, x-total-count, x-supabase-api-version, sb-error-code, sb-request-id',
  );
}

/** Answers a browser's question whether it may ask; returns whether it was one. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse): boolean {
  const isPreflight =
    request.method === 'OPTIONS' &&
    request.headers['access-control-request-method'] !== undefined &&
    isPublic(request);
  if (!isPreflight) return false;
  const asked = request.headers['access-control-request-headers'];
  response
    .writeHead(200, {
      'access-control-allow-methods': 'GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS',
      'access-control-allow-headers': asked ?? 'apikey, authorization, content-type',
      'access-control-max-age': '3600',
      'content-length': '0',
    })
    .end();
  return true;
}
