import type { AppRouter } from '@homeroom/api';
import { createApi, TRPC_ENDPOINT, type Api } from '@homeroom/api/server';
import { testDatabase } from '@homeroom/db/testing';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { createConnection, type Connection } from '../connection/connection.ts';

type Person = { id: string; email: string };

/** A database, the stack's gateway on it, the API, and tabs of people who look at it. */
export type School = Awaited<ReturnType<typeof school>>;

/** Builds a {@link School}; `await using` takes it down again. */
export async function school() {
  const db = await testDatabase();
  const gateway = await db.gateway();
  const api = createApi({
    supabaseUrl: gateway.apiUrl,
    publishableKey: gateway.publishableKey,
    jwtSecret: db.jwtSecret,
    databaseUrl: db.url,
    poolSize: 4,
    logLevel: 'silent',
  });
  const connections: Connection[] = [];

  return {
    db,
    gateway,
    /** Opens a tab; `tokens` holds every token that it was given. */
    tab(person: Person, { tokenSeconds = 3_600 } = {}) {
      const tokens: string[] = [];
      const connection = createConnection({
        url: gateway.apiUrl,
        apikey: gateway.publishableKey,
        userId: person.id,
        api: clientOf(api, () => db.token(person)),
        async getToken() {
          const token = await db.token(person, { expiresInSeconds: tokenSeconds });
          tokens.push(token);
          return { token, expiresAt: Date.now() + tokenSeconds * 1_000, now: Date.now() };
        },
      });
      connections.push(connection);
      return Object.assign(connection, { tokens });
    },
    /** Gives a person a notification, as a trigger would. */
    async notify(person: Person, title: string): Promise<void> {
      await db.sql`
        insert into public.notifications (user_id, type, title, message)
        values (${person.id}, 'system', ${title}, 'Something happened')`;
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.close();
      await api.close();
      await db[Symbol.asyncDispose]();
    },
  };
}

/** A tRPC client whose requests go straight into the API, whole as they would travel. */
function clientOf(api: Api, token: () => Promise<string>) {
  return createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `http://portal.homeroom.test${TRPC_ENDPOINT}`,
        headers: async () => ({ authorization: `Bearer ${await token()}` }),
        fetch: (url, init) => api.trpc(new Request(url, init as RequestInit), null),
      }),
    ],
  });
}
