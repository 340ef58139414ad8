import { readFile } from 'node:fs/promises';
import { verifyExport } from '@homeroom/db/attendance';
import { databaseUrl } from '../database-url.ts';

const usage = 'pnpm attendance verify <attendance.csv>';

/** `verify` says whether an export of a workshop's attendance is what was written. */
export async function attendance(args: string[]): Promise<number> {
  const [subcommand, path] = args;
  if (subcommand !== 'verify' || path === undefined) {
    console.error(usage);
    return 2;
  }
  const { isGenuine, finding } = await verifyExport(
    await readFile(path, 'utf8'),
    await databaseUrl(),
  );
  (isGenuine ? console.log : console.error)(finding);
  return isGenuine ? 0 : 1;
}
