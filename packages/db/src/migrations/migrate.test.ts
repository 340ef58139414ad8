import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../testing/index.ts';
import { PACKAGE_FOLDER } from './folders.ts';
import { migrate, pendingMigrations } from './migrate.ts';

async function folderWith(files: Record<string, string>) {
  const path = await mkdtemp(join(tmpdir(), 'homeroom-migrate-test-'));
  for (const [name, sql] of Object.entries(files)) await writeFile(join(path, name), sql);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

describe('migrating', () => {
  it('needs no superuser, and a second time there is nothing to do', async () => {
    await using db = await testDatabase();
    const [role] = await db.sql`select rolsuper from pg_roles where rolname = current_user`;
    expect(role?.rolsuper).toBe(false);
    expect(await migrate(db.url)).toEqual({ applied: [] });
  });

  it('tells what is pending without writing anything', async () => {
    await using db = await testDatabase();
    expect(await pendingMigrations(db.url)).toEqual([]);
    await db.sql`drop schema supabase_migrations cascade`;
    expect(await pendingMigrations(db.url)).toContainEqual(expect.stringMatching(/^\d{14}_/));
    const [schema] = await db.sql`select to_regnamespace('supabase_migrations') as found`;
    expect(schema?.found).toBeNull();
  });

  it('records what it applied as the Supabase CLI does', async () => {
    await using db = await testDatabase();
    const rows = await db.sql`
      select version, name, cardinality(statements) > 0 as has_statements
      from supabase_migrations.schema_migrations`;
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row.version).toMatch(/^\d{14}$/);
      expect(row.name).toMatch(/^[a-z]+(_[a-z0-9]+)+$/);
      expect(row.has_statements).toBe(true);
    }
  });

  it('is done once by two at the same time', async () => {
    await using db = await testDatabase();
    await using folder = await folderWith({
      '20990101000000_add_proof.sql': 'create table public.proof (); select pg_sleep(0.1);',
    });
    const results = await Promise.all([
      migrate(db.url, { folder: folder.path }),
      migrate(db.url, { folder: folder.path }),
    ]);
    expect(results.flatMap(({ applied }) => applied)).toEqual(['20990101000000_add_proof']);
  });

  it('leaves nothing of a migration that fails, and names it', async () => {
    await using db = await testDatabase();
    await using folder = await folderWith({
      '20990101000000_add_proof.sql': 'create table public.proof (); select 1 / 0;',
    });
    await expect(migrate(db.url, { folder: folder.path })).rejects.toThrow('add_proof');
    const [proof] = await db.sql`select to_regclass('public.proof') as found`;
    expect(proof?.found).toBeNull();
  });

  it('says what to do when there is a Homeroom that these don’t follow on from', async () => {
    await using db = await testDatabase();
    await db.sql`delete from supabase_migrations.schema_migrations`;
    await expect(migrate(db.url)).rejects.toThrow('pnpm stack reset');
  });

  it('begins a migration again that lost a deadlock, and gives up after five', async () => {
    await using db = await testDatabase();
    await db.sql`create sequence public.attempts`;
    const deadlocked = (times: number) => `do $$ begin
      if nextval('public.attempts') <= ${times} then
        raise exception 'deadlock detected' using errcode = '40P01';
      end if;
    end $$;`;
    await using folder = await folderWith({ '20990101000000_lose_twice.sql': deadlocked(2) });
    const { applied } = await migrate(db.url, { folder: folder.path });
    expect(applied).toEqual(['20990101000000_lose_twice']);
    await writeFile(join(folder.path, '20990101000001_lose_always.sql'), deadlocked(99));
    await expect(migrate(db.url, { folder: folder.path })).rejects.toThrow('lose_always');
    expect([...(await db.sql`select last_value::integer as tries from public.attempts`)]).toEqual([
      { tries: 3 + 5 },
    ]);
  });

  it('can be run over again: every hand-written file is repeatable', async () => {
    await using db = await testDatabase();
    const source = join(PACKAGE_FOLDER, 'src');
    for (const path of (await readdir(source, { recursive: true })).sort()) {
      if (!path.endsWith('.sql')) continue;
      await db.sql.unsafe(await readFile(join(source, path), 'utf8'));
    }
  });
});

describe('the migrations', () => {
  it('say what the schema and the hand-written SQL say', () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(PACKAGE_FOLDER, 'src/migrations/generate.ts'), '--check'],
      { encoding: 'utf8' },
    );
    expect({ status, stdout, stderr }).toMatchObject({ status: 0, stderr: '' });
  });
});
