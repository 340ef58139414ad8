/** Makes a plain database one of Supabase: everything that hosted gives to an empty project. */
import { readFile } from 'node:fs/promises';
import { App } from '@supabase/lite';
import { createPostgresConnection } from '@supabase/lite/postgres';
import pg from 'pg';

/**
 * Roles, schemas `auth`, `realtime` and `extensions`, functions, grants, publications. May be
 * repeated: what is there stays, functions become those of this version.
 * @param adminUrl connection string of the database, as a superuser
 */
export async function bootstrapDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const known = await client.query(`select from pg_roles where rolname = 'authenticator'`);
    if (known.rowCount === 0) await client.query(await script('roles'));
    await createAuthTables(adminUrl);
    // One transaction each: all of a file or nothing.
    for (const name of ['schemas', 'auth', 'realtime', 'guard'] as const) {
      await client.query(await script(name));
    }
  } finally {
    await client.end();
  }
}

/** Makes the roles of a cluster, if it lacks them. */
export async function createRoles(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(await script('roles'));
  } finally {
    await client.end();
  }
}

function script(name: 'roles' | 'schemas' | 'auth' | 'realtime' | 'guard'): Promise<string> {
  return readFile(new URL(`./${name}.sql`, import.meta.url), 'utf8');
}

/** Auth's tables are those of the library that serves Auth. */
async function createAuthTables(adminUrl: string): Promise<void> {
  const connection = createPostgresConnection({
    url: adminUrl,
    postgresOptions: { max: 1, onnotice: () => undefined },
  });
  try {
    const app = new App({
      connection,
      auth: { enabled: true, jwt_secret: 'not used: nothing is signed here, only tables made' },
      db: { migrations: { enabled: false } },
    });
    await app.ensureSystemSchema();
  } finally {
    await connection.close();
  }
}
