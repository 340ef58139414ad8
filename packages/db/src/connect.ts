import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres, { type Options, type PostgresType, type Sql } from 'postgres';
import * as schema from './schema.ts';

/** Drizzle on postgres.js; `$client` is the latter. */
export type Database = PostgresJsDatabase<typeof schema> & { $client: Sql };

/** What {@link connect} takes beside the address: postgres.js's own options. */
export type ConnectOptions = Options<Record<string, PostgresType>>;

/** Names in TypeScript are camelCase, in the database snake_case: this is the one mapping. */
export const CASING = 'snake_case';

/**
 * Opens a pool of connections, lazily. Close it with `database.$client.end()`.
 * Works behind a transaction pooler with `{ prepare: false }`.
 */
export function connect(url: string, options: ConnectOptions = {}): Database {
  const client = postgres(url, { onnotice: () => undefined, ...options });
  return drizzle({ client, schema, casing: CASING });
}
