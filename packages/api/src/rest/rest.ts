import type { Caller } from '../server/api.ts';
import type { Context } from '../server/context.ts';
import type { Entrance } from '../server/entrance.ts';
import { ApiError, toApiError } from '../server/errors.ts';
import { discussionRoutes } from './discussions.ts';
import { failure, success, type Envelope } from './envelopes.ts';
import { leaderboardRoutes } from './leaderboard.ts';
import { notificationRoutes } from './notifications.ts';

/** What a route has at hand. */
export type RestCall = {
  /** Procedures as the one who calls. */
  caller: Caller;
  userId: string;
  url: URL;
  /** The parts of the path that the route names, as `:id`. */
  params: Record<string, string>;
  /** The body as JSON, whatever type it says it is. @throws ApiError INPUT_INVALID */
  body(): Promise<unknown>;
};

/** Does one thing at one address: the guides' envelope, or an answer of a shape of its own. */
export type RestHandler = (call: RestCall) => Promise<Envelope | Response>;

/** One address; `:name` in its path takes any one segment. Earlier routes go before later ones. */
export type RestRoute = {
  path: string;
  methods: Partial<Record<'GET' | 'POST' | 'PUT' | 'DELETE', RestHandler>>;
};

/** The most that a body of these routes may hold: they take a word or two. */
const BODY_MAX_BYTES = 10_000;

const routes = [...notificationRoutes, ...leaderboardRoutes, ...discussionRoutes].map(
  ({ path, methods }) => ({
    pattern: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}/?$`),
    methods: new Map(Object.entries(methods)),
  }),
);

/** Answers the guides' routes, by the same procedures as tRPC; null when none of them is meant. */
export function createRest(
  createCaller: (context: Context) => Caller,
): (request: Request, entrance: Entrance) => Promise<Response | null> {
  return async (request, { requestId, enter }) => {
    const url = new URL(request.url);
    const found = match(url.pathname);
    if (!found) return null;
    const handler = found.methods.get(request.method);
    let response: Response;
    try {
      const context = await enter();
      if (!context.session) throw new ApiError('SESSION_REQUIRED');
      if (!handler) throw new ApiError('METHOD_NOT_ALLOWED');
      const { userId } = context.session;
      const caller = createCaller(context);
      const body = () => readJson(request);
      const answer = await handler({ caller, userId, url, params: found.params, body });
      response = answer instanceof Response ? answer : success(answer);
    } catch (error) {
      response = failure(toApiError(error), requestId);
    }
    if (!handler) response.headers.set('allow', [...found.methods.keys()].join(', '));
    response.headers.set('x-request-id', requestId);
    response.headers.set('cache-control', 'no-store');
    return response;
  };
}

function match(path: string) {
  for (const { pattern, methods } of routes) {
    const found = pattern.exec(path);
    if (found) return { methods, params: { ...found.groups } };
  }
  return null;
}

async function readJson(request: Request): Promise<unknown> {
  const text = await request.text();
  if (text.length > BODY_MAX_BYTES) throw new ApiError('BODY_TOO_LARGE');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiError('INPUT_INVALID', { fields: [{ field: '', reason: 'Not JSON' }], cause });
  }
}
