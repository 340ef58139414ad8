import { createHash, timingSafeEqual } from 'node:crypto';
import { json, type RequestEvent } from '@sveltejs/kit';

/** Addresses of this machine, as Node writes them. */
const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

/** Answers `/metrics` with Prometheus's text: to the bearer of the token, else to this machine. */
export async function answerMetrics(event: RequestEvent): Promise<Response> {
  const { api, settings } = event.locals;
  if (!mayScrape(event.request, event.getClientAddress(), settings.metricsToken)) {
    return new Response(
      'Metrics are for scrapers: send METRICS_TOKEN as bearer token, or ask from this machine.',
      { status: 403 },
    );
  }
  const { contentType, text } = await api.metrics();
  return new Response(text, {
    headers: { 'content-type': contentType, 'cache-control': 'no-store' },
  });
}

/**
 * Answers `/ready`: 200 when calls can be answered, 503 with the reason when not. The migration that
 * this build needs was written into it by vite.config.ts.
 */
export async function answerReady(event: RequestEvent): Promise<Response> {
  const readiness = await event.locals.api.ready(process.env.HOMEROOM_MIGRATION);
  return json(readiness, {
    status: readiness.ok ? 200 : 503,
    headers: { 'cache-control': 'no-store' },
  });
}

/**
 * Whether a request may read the metrics: by the token where one is set; else from this machine,
 * and not through a proxy on it, behind which anybody could be.
 */
export function mayScrape(
  { headers }: Request,
  clientAddress: string,
  token: string | undefined,
): boolean {
  if (token === undefined) {
    const isProxied = headers.has('x-forwarded-for') || headers.has('forwarded');
    return LOOPBACK.has(clientAddress) && !isProxied;
  }
  const shown = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(shown), digest(token));
}

/** Of one length, whatever it is of. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
