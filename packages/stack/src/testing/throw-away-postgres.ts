import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { createRoles } from '../bootstrap/bootstrap.ts';
import { openCluster } from '../postgres/cluster.ts';

/** A throw-away Postgres, with Supabase's roles and no more. */
export type Postgres = {
  port: number;
  /** Connection string as the superuser `supabase_admin`. */
  adminUrl(database: string): string;
  /** Connection string as `postgres`: no superuser, but past row level security. */
  url(database: string): string;
  /** Makes a database that belongs to `postgres`; `template` must have no connections. */
  createDatabase(name: string, template?: string): Promise<void>;
  /** Cuts the database's connections and drops it. */
  dropDatabase(name: string): Promise<void>;
  /** Stops the server and removes its files. */
  stop(): Promise<void>;
};

/** How a throw-away Postgres is started. */
export type PostgresOptions = {
  /** Server settings beside those of the stack, such as `{ max_connections: '500' }`. */
  settings?: Record<string, string>;
};

/**
 * Starts a cluster of its own in a temporary folder, on a free port. It writes nothing safely
 * (fsync off), so it starts in about a second, and it ends with this process.
 */
export async function startPostgres({ settings = {} }: PostgresOptions = {}): Promise<Postgres> {
  const folder = await mkdtemp(join(tmpdir(), 'local-supabase-'));
  // Postgres may run as another user, who has to pass through.
  await chmod(folder, 0o711);
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const cluster = await openCluster({ dataDir: folder, port: 0, isThrowAway: true, settings });
    await createRoles(cluster.adminUrl('postgres'));
    const admin = (statement: string) => runAlone(cluster.adminUrl('postgres'), statement);
    return {
      port: cluster.port,
      adminUrl: cluster.adminUrl,
      url: (database) => cluster.urlAs('postgres', database),
      createDatabase: (name, template) =>
        admin(
          `create database ${pg.escapeIdentifier(name)} owner postgres` +
            (template === undefined ? '' : ` template ${pg.escapeIdentifier(template)}`),
        ),
      dropDatabase: (name) =>
        admin(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`),
      async stop() {
        await cluster.stop();
        await removeFolder();
      },
    };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

async function runAlone(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
