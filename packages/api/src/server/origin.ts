import { ApiError } from './errors.ts';

/** Methods that change nothing: a page of another site may cause them, and learns nothing. */
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses a write that the browser was made to send by another site's page, with our cookies.
 * Only for sessions from cookies: a token in the `Authorization` header is never sent by itself.
 * @throws ApiError ORIGIN_FORBIDDEN
 */
export function requireOwnOrigin(request: Request): void {
  if (SAFE_METHODS.has(request.method)) return;
  // Today's browsers say whence a call comes, and no page can change that header.
  const site = request.headers.get('sec-fetch-site');
  if (site === 'same-origin') return;
  // Older ones send the origin with every write.
  const origin = request.headers.get('origin');
  if (site === null && origin === new URL(request.url).origin) return;
  throw new ApiError('ORIGIN_FORBIDDEN');
}
