import { connect, type Database } from '@homeroom/db';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import { pino, type Logger } from 'pino';
import { createIssuer, type Issuer } from '../certificates/issuer.ts';
import { createDigestSender, type DigestSender } from '../delivery/digest-sender.ts';
import { createMailer } from '../delivery/mailer.ts';
import { createMonitor, type Monitor } from '../monitoring/monitor.ts';
import { createStripeWebhook } from '../payments/stripe-webhook.ts';
import { createRest } from '../rest/rest.ts';
import { appRouter } from '../router.ts';
import { createServiceKeys } from '../services/service-keys.ts';
import { createTracing, noTracing, type Tracing } from '../tracing/tracing.ts';
import { createContext, requestIdOf, type Call, type Services } from './context.ts';
import { createAsUser } from './database.ts';
import { createEntrance, type Entrance, type Peer } from './entrance.ts';
import { ERROR_CODES } from './error-codes.ts';
import { toApiError } from './errors.ts';
import { checkHealth, checkReady, type Health, type Readiness } from './health.ts';
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
  /** Where the API writes what it does. */
  log: Logger;
  /** Says where the time of a request goes; nothing where nobody collects it. */
  tracing: Tracing;
  /** Whether the database answers, and how fast. */
  health(): Promise<Health>;
  /** Whether calls can be answered: the database answers, and has the migration that is needed. */
  ready(migration: string | undefined): Promise<Readiness>;
  /** Prometheus's text. */
  metrics(): Promise<{ contentType: string; text: string }>;
  /** Answers Stripe's webhook: 200 when the event was taken, now or before. */
  stripeWebhook(request: Request): Promise<Response>;
  /** Takes what was counted of browsers and calls to the administrators' page now. */
  writeMonitoring(): Promise<void>;
  /** Sends digests by e-mail; null where no mail server is set. */
  digests: DigestSender | null;
  /** Waits for calls under way, then ends the connections. */
  close(): Promise<void>;
};

/** What {@link createApi} takes beside the settings. */
export type ApiOptions = {
  log?: Logger;
  /** Which portal it serves, for monitoring. */
  portal?: string;
  /** Watches calls and browsers in place of our own monitor. */
  monitor?: Monitor;
};

/** Builds the API. It connects to the database with the first call. */
export function createApi(settings: Settings, options: ApiOptions = {}): Api {
  const db = connect(settings.databaseUrl, {
    max: settings.poolSize,
    prepare: settings.prepare ?? true,
  });
  const issuer = createIssuer(settings);
  const { portal = 'api' } = options;
  const log = options.log ?? pino({ name: portal, level: settings.logLevel ?? 'info' });
  const { monitor = createMonitor(db, portal, log) } = options;
  const tracing = settings.tracing ? createTracing(portal, log) : noTracing;
  const asUser = createAsUser(db, tracing);
  const countCall = createRateLimits(settings.rateLimits);
  const digests = createDigests(settings, db, log);
  const sendsMail = digests !== null;
  const services: Services = { issuer, asUser, countCall, monitor, tracing, log, sendsMail };
  const verifyToken = createSessions(createTokenVerifier(settings), db);
  const entrance = createEntrance(services, verifyToken, createServiceKeys(db));
  const takeStripeEvent = createStripeWebhook(asUser, settings.stripeWebhookSecret);
  const rest = createRest(createCaller);

  return {
    db,
    issuer,
    log,
    tracing,
    verifyToken,
    trpc: (request, session, peer) => answerTrpc(request, entrance(request, session, peer)),
    rest: (request, session, peer) => rest(request, entrance(request, session, peer)),
    caller: (session, call) => createCaller(createContext(services, { ...call, session })),
    health: () => checkHealth(db),
    ready: (migration) => checkReady(db, migration),
    metrics: () => monitor.metrics(),
    writeMonitoring: () => monitor.write(),
    stripeWebhook: (request) => answerStripe(request, takeStripeEvent, services),
    digests,
    async close() {
      monitor.close();
      await digests?.close();
      await db.$client.end({ timeout: CLOSE_TIMEOUT_SECONDS });
      await tracing.close();
    },
  };
}

function createDigests(settings: Settings, db: Database, log: Logger): DigestSender | null {
  const mailer = createMailer(settings);
  const { studentUrl, instructorUrl } = settings;
  if (mailer === null || studentUrl === undefined || instructorUrl === undefined) return null;
  return createDigestSender(db, mailer, { student: studentUrl, instructor: instructorUrl }, log);
}

/** Stripe shows its users the body, and delivers again what isn't answered with 2xx. */
async function answerStripe(
  request: Request,
  take: ReturnType<typeof createStripeWebhook>,
  { log, monitor, tracing }: Services,
): Promise<Response> {
  const requestId = requestIdOf(request, tracing);
  const headers = { 'x-request-id': requestId, 'cache-control': 'no-store' };
  const startedAt = performance.now();
  try {
    const outcome = await take(request, requestId);
    log.info({ requestId, outcome }, 'stripe webhook');
    monitor.called('webhooks.stripe', performance.now() - startedAt, null);
    return Response.json({ received: true, outcome }, { headers });
  } catch (cause) {
    const error = toApiError(cause);
    const { appCode, status } = error;
    log.warn({ requestId, appCode, err: error.cause ?? error }, 'stripe webhook');
    monitor.called('webhooks.stripe', performance.now() - startedAt, error);
    const { sentence, whatToDo } = ERROR_CODES[appCode];
    return Response.json(
      { error: { code: appCode, message: `${sentence} ${whatToDo}` } },
      { status, headers },
    );
  }
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
