import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { migrate } from '@homeroom/db/migrate';
import { databaseUrl } from '../database-url.ts';
import { inRepository } from '../repository.ts';

const usage = 'pnpm db generate --name <verb_phrase> | generate --check | migrate';

/** `generate` writes a migration for what changed in packages/db; `migrate` applies what is pending. */
export async function db(args: string[]): Promise<number> {
  const [subcommand, ...rest] = args;
  switch (subcommand) {
    case 'generate':
      return generate(rest);
    case 'migrate': {
      const { applied } = await migrate(await requireDatabase(), { onProgress: console.log });
      console.log(applied.length === 0 ? 'Nothing to do.' : `Applied ${applied.length}.`);
      return 0;
    }
    default:
      console.error(usage);
      return 2;
  }
}

async function generate(args: string[]): Promise<number> {
  const script = inRepository('packages/db/src/migrations/generate.ts');
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

async function requireDatabase(): Promise<string> {
  const url = await databaseUrl();
  if (url !== null) return url;
  throw new Error(
    'No database is running. Start one with `pnpm stack start`, or set DATABASE_URL and the other variables of a Supabase project.',
  );
}
