import type { AppRouter } from '@homeroom/api';
import type { ErrorData } from '@homeroom/api/server';
import { createTRPCClient, httpBatchLink, TRPCClientError, type TRPCClient } from '@trpc/client';

/** As many as the API takes in one request. */
const BATCH_MAX = 50;
/** Longer addresses are cut by some proxies; the calls then go in several requests. */
const URL_LENGTH_MAX = 4_000;

/** Typed calls of every procedure: `client.catalog.list.query({ limit: 10 })`. */
export type ServiceClient = TRPCClient<AppRouter>;

/** Where the API is, and what to show at its door. */
export type ServiceClientOptions = {
  /** Of a portal, such as `https://teach.example.org`; the API lies under `/api/trpc`. */
  url: string;
  /** An access token, or a function that gives the one that is good now. */
  key: string | (() => string | Promise<string>);
};

/** A client for programs. Calls of the same moment travel in one request. */
export function createServiceClient({ url, key }: ServiceClientOptions): ServiceClient {
  return createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: new URL('/api/trpc', url),
        maxItems: BATCH_MAX,
        maxURLLength: URL_LENGTH_MAX,
        headers: async () => ({
          authorization: `Bearer ${typeof key === 'string' ? key : await key()}`,
        }),
      }),
    ],
  });
}

/**
 * What the API says of an error: its stable code, the fields, the seconds to wait. Null when the
 * error isn't the API's, such as one of the network.
 */
export function apiErrorOf(error: unknown): (ErrorData & { message: string }) | null {
  if (!(error instanceof TRPCClientError)) return null;
  const { data, message } = error as TRPCClientError<AppRouter>;
  return data ? { ...data, message } : null;
}
