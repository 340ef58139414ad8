import type { Logger } from 'pino';
import type { Monitor } from '../monitoring/monitor.ts';
import type { Service } from '../services/service-keys.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { AsUser } from './database.ts';
import type { Issuer } from '../certificates/issuer.ts';
import type { CountCall } from './rate-limits.ts';
import type { Session } from './session.ts';

/** What the server gives to every call: made once, shared by all. */
export type Services = {
  asUser: AsUser;
  countCall: CountCall;
  monitor: Monitor;
  tracing: Tracing;
  log: Logger;
  /** Null where no keys are set. */
  issuer: Issuer | null;
  /** Whether mail can be sent. */
  sendsMail: boolean;
};

/** What belongs to one call. */
export type Call = {
  session: Session | null;
  /** The service whose key came with the call; there is no session then. */
  service: Service | null;
  /** In the answer's `x-request-id`, in every log line, and in errors. */
  requestId: string;
  /** Whom to count calls by when nobody is signed in. */
  clientAddress: string;
};

/** What a procedure has at hand. */
export type Context = Services & Call;

/** A request id that a proxy has given already: short, and harmless in a log. */
const FOREIGN_REQUEST_ID = /^[\w.-]{8,64}$/;

/**
 * The id of a request: the one that a proxy gave it; that of its trace, so that one id leads
 * everywhere; or a new one.
 */
export function requestIdOf(request: Request, tracing: Tracing): string {
  const given = request.headers.get('x-request-id');
  if (given && FOREIGN_REQUEST_ID.test(given)) return given;
  return tracing.traceId() ?? crypto.randomUUID();
}

/** The context of one call. */
export function createContext(services: Services, call: Partial<Call>): Context {
  return {
    ...services,
    session: call.session ?? null,
    service: call.service ?? null,
    requestId: call.requestId ?? crypto.randomUUID(),
    clientAddress: call.clientAddress ?? 'unknown',
  };
}
