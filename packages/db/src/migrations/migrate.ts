import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { MIGRATIONS_FOLDER } from './folders.ts';

/** What {@link migrate} takes beside the address. */
export type MigrateOptions = {
  /** Hears a line for each migration applied. */
  onProgress?(message: string): void;
  /** Where the migrations are; by default `supabase/migrations`. */
  folder?: string;
};

type Migration = { version: string; name: string; sql: string };

/** Names this lock among the advisory locks of the database. */
const LOCK = Number.parseInt(createHash('sha256').update('homeroom').digest('hex').slice(0, 8), 16);

/**
 * Applies what is pending, each migration in a transaction of its own, as the role of `url`
 * (`postgres`, which is no superuser). Recorded as the Supabase CLI does, so that it and
 * `supabase db push` may take turns. Two at once wait for each other.
 */
export async function migrate(
  url: string,
  { onProgress, folder = MIGRATIONS_FOLDER }: MigrateOptions = {},
): Promise<{ applied: string[] }> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql`select pg_advisory_lock(${LOCK})`;
    await createRecord(sql);
    const pending = await findPending(sql, folder);
    for (const migration of pending) {
      await apply(sql, migration);
      onProgress?.(`Applied ${migration.version} ${migration.name.replaceAll('_', ' ')}`);
    }
    return { applied: pending.map(({ version, name }) => `${version}_${name}`) };
  } finally {
    // Ends the session, and its advisory lock with it.
    await sql.end();
  }
}

/**
 * The migrations that {@link migrate} would apply, as `<version>_<name>`, oldest first.
 * @throws the database's error when it can't be reached
 */
export async function pendingMigrations(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const pending = await findPending(sql, MIGRATIONS_FOLDER);
    return pending.map(({ version, name }) => `${version}_${name}`);
  } finally {
    await sql.end();
  }
}

/** The version of the newest migration that there is. */
export async function newestMigration(): Promise<string> {
  const newest = (await readMigrations(MIGRATIONS_FOLDER)).at(-1);
  if (newest === undefined) throw new Error('There is no migration in supabase/migrations');
  return newest.version;
}

/** Only reads: a project that was never migrated has no record, and everything is pending. */
async function findPending(sql: Sql, folder: string): Promise<Migration[]> {
  const [record] = await sql<{ exists: boolean }[]>`
    select to_regclass('supabase_migrations.schema_migrations') is not null as "exists"`;
  const rows = record?.exists
    ? await sql<{ version: string }[]>`select version from supabase_migrations.schema_migrations`
    : [];
  const done = new Set(rows.map((row) => row.version));
  return (await readMigrations(folder)).filter(({ version }) => !done.has(version));
}

/** The Supabase CLI's own table, made as it makes it. */
async function createRecord(sql: Sql): Promise<void> {
  await sql`create schema if not exists supabase_migrations`;
  await sql`
    create table if not exists supabase_migrations.schema_migrations (version text primary key)`;
  await sql`
    alter table supabase_migrations.schema_migrations
      add column if not exists statements text[],
      add column if not exists name text`;
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const [, version, name] = /^(\d{14})_(.+)\.sql$/.exec(file) ?? [];
    if (version === undefined || name === undefined) continue;
    migrations.push({ version, name, sql: await readFile(join(folder, file), 'utf8') });
  }
  return migrations;
}

/**
 * How often a migration is begun before a deadlock counts as a failure. `pnpm start` migrates before
 * anybody else is there; a project that is in use has jobs (pg_cron's, each second) and people, who
 * lock tables in another order than it.
 */
const ATTEMPTS_MAX = 5;
/** Postgres's `deadlock_detected`. */
const DEADLOCK = '40P01';
/** Postgres's `duplicate_schema`: the first thing that the first migration makes is there. */
const DUPLICATE_SCHEMA = '42P06';

async function apply(sql: Sql, migration: Migration, attempt = 1): Promise<void> {
  const { version, name, sql: statements } = migration;
  try {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(statements);
      await transaction`
        insert into supabase_migrations.schema_migrations (version, name, statements)
        values (${version}, ${name}, ${[statements]})`;
    });
  } catch (error) {
    const isDeadlock = error instanceof postgres.PostgresError && error.code === DEADLOCK;
    if (isDeadlock && attempt < ATTEMPTS_MAX) return apply(sql, migration, attempt + 1);
    const what = `Migration ${version}_${name} failed; nothing of it was applied.`;
    const isThere = error instanceof postgres.PostgresError && error.code === DUPLICATE_SCHEMA;
    const whatToDo = isThere
      ? ' There is a Homeroom already, of another beginning: `pnpm stack reset` begins anew.'
      : '';
    throw new Error(what + whatToDo, { cause: error });
  }
}
