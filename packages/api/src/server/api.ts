import { connect, type Database } from '@homeroom/db';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { pino, type Logger } from 'pino';
import { createIssuer, type Issuer } from '../certificates/issuer.ts';
import { createRest } from '../rest/rest.ts';
import { appRouter } from '../router.ts';
import { createContext, type Call, type Services } from './context.ts';
import { createAsUser } from './database.ts';
import { createEntrance, type Entrance, type Peer } from './entrance.ts';
import { toApiError } from './errors.ts';
import { checkHealth, type Health } from './health.ts';
import { createCallerFactory } from './procedures.ts';
import { createRateLimits } from './rate-limits.ts';
import { createSessions, type Session } from './session.ts';
import type { Settings } from './settings.ts';
import { createTokenVerifier } from './tokens.ts';

/** Where the portals mount tRPC. */
export const TRPC_ENDPOINT = '/api/trpc';
/** How many calls one HTTP request may carry. */
const BATCH_MAX = 50;
/** How long `close` waits for calls that are under way. */
const CLOSE_TIMEOUT_SECONDS = 5;

const createCaller = createCallerFactory(appRouter);

/** Calls procedures in this process, without HTTP, with the same checks and limits. */
export type Caller = ReturnType<typeof createCaller>;

/** The API, without a web framework around it: the portals mount it. */
export type Api = {
  /** Answers `/api/trpc/*`. `session` is that of the cookies; a bearer token goes before it. */
  trpc(request: Request, session: Session | null, peer?: Peer): Promise<Response>;
  /** Answers the guides' REST routes; null when the path is none of them. */
  rest(request: Request, session: Session | null, peer?: Peer): Promise<Response | null>;
  /** Procedures as functions, for server-side rendering. They throw ApiErrors. */
  caller(session: Session | null, call?: Partial<Omit<Call, 'session'>>): Caller;
  /** The session of an access token. @throws ApiError with status 401, 403 or 503 */
  verifyToken(token: string): Promise<Session>;
  /** Who signs credentials; null where no keys are set. */
  issuer: Issuer | null;
  /** As role `postgres`, past row level security: never for what a user asks. */
  db: Database;
  /** Whether the database answers, and how fast. */
  health(): Promise<Health>;
  /** Waits for calls under way, then ends the connections. */
  close(): Promise<void>;
};

/** Builds the API. It connects to the database with the first call. */
export function createApi(settings: Settings, options: { log?: Logger } = {}): Api {
  const db = connect(settings.databaseUrl, {
    max: settings.poolSize,
    prepare: settings.prepare ?? true,
  });
  const issuer = createIssuer(settings);
  const services: Services = {
    issuer,
    asUser: createAsUser(db),
    countCall: createRateLimits(settings.rateLimits),
    log: options.log ?? pino({ name: 'api', level: settings.logLevel ?? 'info' }),
  };
  const verifyToken = createSessions(createTokenVerifier(settings), db);
  const entrance = createEntrance(services, verifyToken);
  const rest = createRest(createCaller);

  return {
    db,
    issuer,
    verifyToken,
    trpc: (request, session, peer) => answerTrpc(request, entrance(request, session, peer)),
    rest: (request, session, peer) => rest(request, entrance(request, session, peer)),
    caller: (session, call) => createCaller(createContext(services, { ...call, session })),
    health: () => checkHealth(db),
    close: () => db.$client.end({ timeout: CLOSE_TIMEOUT_SECONDS }),
  };
}

function answerTrpc(request: Request, { requestId, enter }: Entrance): Promise<Response> {
  return fetchRequestHandler({
    endpoint: TRPC_ENDPOINT,
    req: request,
    router: appRouter,
    maxBatchSize: BATCH_MAX,
    createContext: enter,
    responseMeta({ errors }) {
      const headers = new Headers({ 'x-request-id': requestId, 'cache-control': 'no-store' });
      const waits = errors.map((error) => toApiError(error).retryAfterSeconds ?? 0);
      const wait = Math.max(0, ...waits);
      if (wait > 0) headers.set('retry-after', String(wait));
      return { headers };
    },
  });
}
