import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { changedCode, composeMigration, type CodeFile } from './compose.ts';
import { MIGRATIONS_FOLDER, PACKAGE_FOLDER } from './folders.ts';

/**
 * Writes a migration for what changed: tables, indexes and policies as drizzle-kit sees them, and
 * every hand-written `.sql` file under `src` that differs from the newest migration that holds it.
 *
 *   node packages/db/src/migrations/generate.ts --name add_badges
 *   node packages/db/src/migrations/generate.ts --check      fails when something changed
 */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { name: { type: 'string' }, check: { type: 'boolean', default: false } },
  });
  if (!values.check && !/^[a-z]+(_[a-z0-9]+)+$/.test(values.name ?? '')) {
    console.error('Say what the migration does: --name add_badges (or --check).');
    return 2;
  }
  await using work = await workingCopy();
  const structure = await generateStructure(work.folder, values.name ?? 'check');
  const code = changedCode(await readCode(), await readMigrations(MIGRATIONS_FOLDER));
  if (structure === null && code.length === 0) {
    console.log('Migrations and schema agree.');
    return 0;
  }
  if (values.check) {
    console.error(
      [
        'The schema changed, but no migration says so:',
        ...(structure === null ? [] : ['  tables, indexes or policies']),
        ...code.map((file) => `  ${file.path}`),
        'Run `pnpm db generate --name <verb_phrase>`.',
      ].join('\n'),
    );
    return 1;
  }
  await writeMigration(work.folder, structure, code, values.name ?? '');
  return 0;
}

/** A copy of the migrations, in which drizzle-kit may write before we decide. */
async function workingCopy() {
  const folder = await mkdtemp(join(tmpdir(), 'homeroom-migrations-'));
  await cp(MIGRATIONS_FOLDER, folder, { recursive: true });
  return {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Lets drizzle-kit write its migration; null when the tables have not changed. */
async function generateStructure(
  folder: string,
  name: string,
): Promise<{ file: string; sql: string } | null> {
  const before = new Set(await readdir(folder));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(PACKAGE_FOLDER, 'node_modules/drizzle-kit/bin.cjs'), 'generate', '--name', name],
    {
      cwd: PACKAGE_FOLDER,
      encoding: 'utf8',
      env: { ...process.env, HOMEROOM_MIGRATIONS: relative(PACKAGE_FOLDER, folder) },
    },
  );
  if (status !== 0) throw new Error(`drizzle-kit failed:\n${stdout}\n${stderr}`);
  const file = (await readdir(folder)).find(
    (entry) => entry.endsWith('.sql') && !before.has(entry),
  );
  if (file === undefined) {
    if (!stdout.includes('No schema changes')) throw new Error(`drizzle-kit said:\n${stdout}`);
    return null;
  }
  return { file, sql: await readFile(join(folder, file), 'utf8') };
}

/** The hand-written SQL, in the order in which migrations hold it: by path, `access/` first. */
async function readCode(): Promise<CodeFile[]> {
  const source = join(PACKAGE_FOLDER, 'src');
  const paths = (await readdir(source, { recursive: true }))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.sql'))
    .sort();
  return Promise.all(
    paths.map(async (path) => ({ path, sql: await readFile(join(source, path), 'utf8') })),
  );
}

async function readMigrations(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((entry) => entry.endsWith('.sql')).sort();
  return Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
}

async function writeMigration(
  folder: string,
  structure: { file: string; sql: string } | null,
  code: CodeFile[],
  name: string,
): Promise<void> {
  const file = structure?.file ?? `${timestamp(new Date())}_${name}.sql`;
  await writeFile(join(MIGRATIONS_FOLDER, file), composeMigration(structure?.sql ?? '', code));
  if (structure) {
    await cp(join(folder, 'meta'), join(MIGRATIONS_FOLDER, 'meta'), { recursive: true });
  }
  console.log(`Wrote supabase/migrations/${file}. Read it before you commit it.`);
}

/** As the Supabase CLI writes it: UTC, to the second. */
function timestamp(now: Date): string {
  return now.toISOString().replaceAll(/\D/g, '').slice(0, 14);
}

process.exitCode = await main();
