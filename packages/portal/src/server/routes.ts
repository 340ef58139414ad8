import { json, redirect, type RequestEvent } from '@sveltejs/kit';

/** Answers `/api/trpc/*`. */
export function answerTrpc(event: RequestEvent): Promise<Response> {
  const { api, session } = event.locals;
  return api.trpc(event.request, session, { clientAddress: event.getClientAddress() });
}

/** Answers the guides' REST routes. */
export async function answerRest(event: RequestEvent): Promise<Response> {
  const { api, session } = event.locals;
  const answer = await api.rest(event.request, session, {
    clientAddress: event.getClientAddress(),
  });
  return answer ?? json({ success: false, error: { code: 'ROUTE_NOT_FOUND' } }, { status: 404 });
}

/** Answers `/api/webhooks/stripe`: verified by its signature, so there is no session. */
export function answerStripe(event: RequestEvent): Promise<Response> {
  return event.locals.api.stripeWebhook(event.request);
}

/** Answers `/health`: 200 when the database answers, 503 when it doesn't. */
export async function answerHealth(event: RequestEvent): Promise<Response> {
  const health = await event.locals.api.health();
  return json(health, { status: health.ok ? 200 : 503, headers: noStore });
}

/** Answers `/session/token`: the short-lived access token for Realtime, to this portal's pages. */
export function answerToken({ locals, request }: RequestEvent): Response {
  // Browsers say where a call comes from; another site's page gets nothing.
  const site = request.headers.get('sec-fetch-site');
  if (site !== null && site !== 'same-origin') return new Response(null, { status: 403 });
  const { session } = locals;
  if (session === null) return json(null, { status: 401, headers: noStore });
  return json(
    { token: session.token, expiresAt: session.expiresAt, now: Date.now() },
    { headers: noStore },
  );
}

/**
 * The session of a page that needs one.
 * @throws a redirect to the sign-in page, which leads back here
 */
export function requireSession(event: RequestEvent) {
  if (event.locals.session !== null) return event.locals.session;
  redirect(303, `/sign-in?next=${encodeURIComponent(event.url.pathname + event.url.search)}`);
}

const noStore = { 'cache-control': 'no-store' };
