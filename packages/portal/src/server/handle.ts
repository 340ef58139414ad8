import {
  ApiError,
  createApi,
  readSettings,
  requestIdOf,
  type Api,
  type Caller,
  type Session,
  type Settings,
} from '@homeroom/api/server';
import { createServerClient } from '@supabase/ssr';
import type { SupabaseClient } from '@supabase/supabase-js';
import type { RequestEvent } from '@sveltejs/kit';
import type { Handle, HandleServerError } from '@sveltejs/kit/hooks';
import { compressed } from './compressed.ts';
import { allowConnect } from './csp.ts';
import { readSessionCookie } from './session-cookie.ts';

/** What every request carries, in both portals. */
export type PortalLocals = {
  api: Api;
  settings: Settings;
  /** Auth only; its session lives in httpOnly cookies. Made when it is first asked for. */
  auth: SupabaseClient['auth'];
  /** Verified here, once per request; null when nobody is signed in. */
  session: Session | null;
  /** Names the request: in the answer's `x-request-id`, in logs, in the database, on error pages. */
  requestId: string;
  /** The API's procedures as this request's user. */
  caller: Caller;
};

/** Which portal this is: its cookies are its own, since both may share a host. */
export type PortalName = 'student' | 'instructor';

let shared: { api: Api; settings: Settings } | undefined;

/** The API is built with the first request: the settings are those of the running server. */
function sharedApi(portal: PortalName) {
  if (shared === undefined) {
    const settings = readSettings(process.env);
    shared = { api: createApi(settings, { portal }), settings };
    // One of the two is enough; of its processes, each digest is taken by one.
    if (portal === 'instructor') shared.api.digests?.start();
    closeAtShutdown(shared.api);
  }
  return shared;
}

/** Spans that wait are sent, and connections ended, once the server has answered its last request. */
function closeAtShutdown(api: Api): void {
  process.once('sveltekit:shutdown', () => {
    api.close().catch((error: unknown) => api.log.error({ err: error }, 'closing'));
  });
}

/** The one place where a session is read, refreshed and verified. */
export function createPortalHandle(portal: PortalName): Handle {
  return ({ event, resolve }) => {
    const { api, settings } = sharedApi(portal);
    return api.tracing.request(event.request, event.route.id, async () => {
      const requestId = requestIdOf(event.request, api.tracing);
      api.tracing.note({ 'homeroom.request_id': requestId });
      const auth = once(() => createAuthClient(event, settings, portal).auth);
      const session = await readSession(event, portal, auth, api);
      Object.defineProperty(event.locals, 'auth', { get: auth });
      Object.assign(event.locals, {
        api,
        settings,
        session,
        requestId,
        caller: api.caller(session, { requestId, clientAddress: event.getClientAddress() }),
      } satisfies Omit<PortalLocals, 'auth'>);
      const response = await resolve(event, {
        // @supabase/ssr may read headers of its own answers while a page is rendered.
        filterSerializedResponseHeaders: (name) => name === 'content-type',
      });
      secure(response.headers, settings);
      if (!response.headers.has('x-request-id')) response.headers.set('x-request-id', requestId);
      return compressed(event.request, response);
    });
  };
}

/** Logs a fault with the request's id, which is all that the page tells of it. */
export function createPortalErrorHandler(): HandleServerError {
  return ({ kind, error, event }) => {
    // Nothing is there yet when the handle itself failed, such as for a setting.
    const { requestId, api } = event.locals as Partial<PortalLocals>;
    const fault = { requestId, path: event.url.pathname, err: error };
    if (kind === 'unknown' && api) api.log.error(fault, 'page');
    else if (kind === 'unknown') console.error(fault);
    return { requestId };
  };
}

function secure(headers: Headers, { supabaseUrl }: Settings): void {
  headers.set('x-content-type-options', 'nosniff');
  headers.set('x-frame-options', 'DENY');
  headers.set('referrer-policy', 'strict-origin-when-cross-origin');
  headers.set('permissions-policy', 'camera=(self), microphone=(), geolocation=()');
  const policy = headers.get('content-security-policy');
  if (policy !== null) headers.set('content-security-policy', allowConnect(policy, supabaseUrl));
}

function createAuthClient(event: RequestEvent, settings: Settings, portal: PortalName) {
  return createServerClient(settings.supabaseUrl, settings.publishableKey, {
    cookieOptions: {
      name: cookieName(portal),
      httpOnly: true,
      sameSite: 'lax',
      secure: event.url.protocol === 'https:',
      path: '/',
    },
    cookies: {
      getAll: () => event.cookies.getAll(),
      setAll: (cookies) => {
        for (const { name, value, options } of cookies) {
          event.cookies.set(name, value, { ...options, path: '/' });
        }
      },
    },
  });
}

async function readSession(
  event: RequestEvent,
  portal: PortalName,
  auth: () => SupabaseClient['auth'],
  api: Api,
): Promise<Session | null> {
  const token = await readToken(event, portal, auth);
  if (token === null) return null;
  try {
    return await api.verifyToken(token);
  } catch (error) {
    // 401 and 403: the token isn't good (any more). Anything else is a fault of ours.
    if (error instanceof ApiError && error.status < 500) return null;
    throw error;
  }
}

async function readToken(
  event: RequestEvent,
  portal: PortalName,
  auth: () => SupabaseClient['auth'],
): Promise<string | null> {
  const name = cookieName(portal);
  const stored = await readSessionCookie(name, (chunk) => event.cookies.get(chunk), Date.now());
  if (stored.kind === 'none') return null;
  if (stored.kind === 'fresh') return stored.token;
  // Refreshes when the token is about to expire; what it says of the user isn't trusted.
  const { data } = await auth().getSession();
  return data.session?.access_token ?? null;
}

/** Where a portal's session is kept. */
const cookieName = (portal: PortalName) => `homeroom-${portal}`;

/** Makes a thing when it is first asked for. */
function once<Thing>(make: () => Thing): () => Thing {
  let made: { thing: Thing } | undefined;
  return () => (made ??= { thing: make() }).thing;
}
