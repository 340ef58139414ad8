import { migrate } from '@homeroom/db/migrate';
import { bootstrapDatabase, startPostgres } from '@homeroom/stack/testing';
import postgres, { type Sql } from 'postgres';

/** Addresses of one database, plain data for workers. */
export type Place = { url: string; adminUrl: string };

/** A migrated database with a pool as role `postgres`. */
export type LabDatabase = Place & AsyncDisposable & { sql: Sql };

/** A throw-away cluster in which every benchmark gets a database of its own. */
export type Lab = AsyncDisposable & { database(): Promise<LabDatabase> };

const TEMPLATE = 'bench_template';

/** Where tests do without, a benchmark can't: the disk is part of what a commit costs. */
const DURABLE = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' };

/** Starts the cluster. Writes are durable in it, as in production: commits cost what they cost. */
export async function openLab(): Promise<Lab> {
  const cluster = await startPostgres({ settings: DURABLE });
  try {
    await cluster.createDatabase(TEMPLATE);
    await bootstrapDatabase(cluster.adminUrl(TEMPLATE));
    await migrate(cluster.url(TEMPLATE));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  let last = 0;
  return {
    async database() {
      const name = `bench_${(last += 1)}`;
      await cluster.createDatabase(name, TEMPLATE);
      const url = cluster.url(name);
      const sql = postgres(url, { max: 12, onnotice: () => undefined });
      return {
        url,
        adminUrl: cluster.adminUrl(name),
        sql,
        async [Symbol.asyncDispose]() {
          await sql.end();
          await cluster.dropDatabase(name);
        },
      };
    },
    [Symbol.asyncDispose]: () => cluster.stop(),
  };
}
