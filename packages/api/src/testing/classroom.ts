import { testDatabase } from '@homeroom/db/testing';
import { createTRPCClient, httpBatchLink, TRPCClientError, type TRPCClient } from '@trpc/client';
import { pino } from 'pino';
import type { NotificationType } from '../notifications/contract.ts';
import type { AppRouter } from '../router.ts';
import { createApi, TRPC_ENDPOINT, type Api } from '../server/api.ts';
import type { ErrorData } from '../server/procedures.ts';
import type { Settings } from '../server/settings.ts';

/** Where the tests' portal is said to be. */
export const PORTAL = 'http://portal.homeroom.test';

/** Someone with an account. */
export type Person = { id: string; email: string };

/** A database of its own, an API on it, and people who call it. */
export type Classroom = Awaited<ReturnType<typeof classroom>>;

/** Builds a {@link Classroom}; `await using` takes it down again. */
export async function classroom(overrides: Partial<Settings> = {}) {
  const db = await testDatabase();
  const api = createApi(
    {
      supabaseUrl: 'http://127.0.0.1:9',
      publishableKey: 'sb_publishable_test',
      jwtSecret: db.jwtSecret,
      databaseUrl: db.url,
      poolSize: 4,
      ...overrides,
    },
    { log: pino({ level: 'silent' }) },
  );

  return {
    db,
    api,
    /** Calls tRPC as a program with a person's token; as nobody without one. */
    async as(person: Person | null): Promise<TRPCClient<AppRouter>> {
      return clientOf(api, person && (await db.token(person)));
    },
    /** Calls REST as a program with a person's token; as nobody without one. */
    async rest(person: Person | null, method: string, path: string, body?: unknown) {
      const headers = person ? { authorization: `Bearer ${await db.token(person)}` } : undefined;
      const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
      const response = await api.rest(new Request(`${PORTAL}${path}`, init), null);
      if (!response) throw new Error(`${path} is none of our routes`);
      return response;
    },
    /** Gives a person a notification, as a trigger would. `minutesAgo` tells them apart in time. */
    async notify(person: Person, { type = 'system', minutesAgo = 0, read = false }: Notice = {}) {
      const [row] = await db.sql<{ id: string }[]>`
        insert into public.notifications (user_id, type, title, message, created_at, read_at)
        values (
          ${person.id}, ${type}, ${`About ${type}`}, 'Something happened',
          now() - ${minutesAgo} * interval '1 minute', case when ${read} then now() end
        )
        returning id`;
      return row?.id ?? '';
    },
    async [Symbol.asyncDispose]() {
      await api.close();
      await db[Symbol.asyncDispose]();
    },
  };
}

type Notice = { type?: NotificationType; minutesAgo?: number; read?: boolean };

/** A tRPC client whose requests go straight into the API, whole as they would travel. */
export function clientOf(api: Api, token: string | null): TRPCClient<AppRouter> {
  return createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `${PORTAL}${TRPC_ENDPOINT}`,
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
        fetch: (url, init) => api.trpc(new Request(String(url), init as RequestInit), null),
      }),
    ],
  });
}

/** The guides' envelope: `data` and `meta` when all went well, `error` when not. */
export type RestBody = {
  success: boolean;
  data: unknown;
  meta: Record<string, number>;
  error: { code: string; fields: unknown[]; retry_after_seconds: number };
};

/** The envelope of a REST answer. */
export async function bodyOf(response: Response): Promise<RestBody> {
  return (await response.json()) as RestBody;
}

/** What tRPC answers to one call. */
export type TrpcBody = {
  result?: { data: Record<string, unknown> };
  error?: { message: string; data: ErrorData & { httpStatus: number } };
};

/** The answer of tRPC to a request with one call. */
export async function trpcBodyOf(response: Response): Promise<TrpcBody> {
  return (await response.json()) as TrpcBody;
}

/** What the API said of a call that it refused. */
export async function refusal(call: Promise<unknown>): Promise<ErrorData & { httpStatus: number }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof TRPCClientError && error.data) {
      return error.data as ErrorData & { httpStatus: number };
    }
    throw error;
  }
  throw new Error('The call was not refused');
}
