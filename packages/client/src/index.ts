import type { AppRouter } from '@homeroom/api';
import { createTRPCClient, httpBatchLink, type TRPCClient } from '@trpc/client';
import { idempotencyLink, retries } from './retries.ts';

export { adviceFor, apiErrorOf } from './errors.ts';

/** As many as the API takes in one request. */
const BATCH_MAX = 50;
/** Longer addresses are cut by some proxies; the calls then go in several requests. */
const URL_LENGTH_MAX = 4_000;
/** The API gives up a statement after ten seconds. */
const TIMEOUT_MS = 15_000;
const RETRIES_MAX = 3;

/** The calls of `services`, with the idempotency key left to the client. */
type Services = TRPCClient<AppRouter>['services'];
type WithoutKey<Procedure> = Procedure extends {
  mutate: (input: infer Input, options?: infer Options) => infer Answer;
}
  ? { mutate: (input: KeyOptional<Input>, options?: Options) => Answer }
  : Procedure;
type KeyOptional<Input> = Input extends { idempotencyKey: string }
  ? Omit<Input, 'idempotencyKey'> & { idempotencyKey?: string }
  : Input;

/** Typed calls of every procedure: `client.services.enroll.mutate({ userId, courseId })`. */
export type ServiceClient = Omit<TRPCClient<AppRouter>, 'services'> & {
  services: { [Name in keyof Services]: WithoutKey<Services[Name]> };
};

/** Where the API is, what to show at its door, and how patient to be. */
export type ServiceClientOptions = {
  /** Of a portal, such as `https://teach.example.org`; the API lies under `/api/trpc`. */
  url: string;
  /** A service key (`hr_…`) or an access token, or a function that gives the one that is good now. */
  key: string | (() => string | Promise<string>);
  /** For each attempt, ms; 15,000 by default. */
  timeoutMs?: number;
  /** How often a call that may be repeated is tried again; 3 by default, 0 for never. */
  retriesMax?: number;
  /** The first wait between attempts, ms; 250 by default, doubled each time. */
  retryWaitMs?: number;
  /** Another `fetch`, such as one that goes through a proxy. */
  fetch?: typeof fetch;
};

/**
 * A client for programs. Calls of the same moment travel in one request; what may be repeated is
 * repeated when the network or the API fails for a moment; `{ signal }` as the second argument of a
 * call gives it up.
 */
export function createServiceClient(options: ServiceClientOptions): ServiceClient {
  const { url, key, timeoutMs = TIMEOUT_MS, retriesMax = RETRIES_MAX, retryWaitMs } = options;
  const { fetch: send = fetch } = options;
  const client = createTRPCClient<AppRouter>({
    links: [
      idempotencyLink(),
      retries(retriesMax, retryWaitMs),
      httpBatchLink({
        url: new URL('/api/trpc', url),
        maxItems: BATCH_MAX,
        maxURLLength: URL_LENGTH_MAX,
        headers: async () => ({
          authorization: `Bearer ${typeof key === 'string' ? key : await key()}`,
        }),
        fetch: (address, init) => {
          const limit = AbortSignal.timeout(timeoutMs);
          const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit;
          return send(String(address), { ...(init as RequestInit), signal });
        },
      }),
    ],
  });
  // The same calls: only the key that idempotencyLink adds may be left out.
  return client as ServiceClient;
}
