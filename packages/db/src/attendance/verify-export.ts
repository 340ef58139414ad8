import { readFile } from 'node:fs/promises';
import { connect } from '../connect.ts';
import { readExport, verifyChain } from './chain.ts';

/**
 * Verifies an export of a workshop's attendance: that no entry was changed, left out or put in, and,
 * where `DATABASE_URL` is set, that it is the log of the database up to its last entry.
 *
 *   node packages/db/src/attendance/verify-export.ts attendance.csv
 */
async function main(path: string | undefined): Promise<number> {
  if (!path) {
    console.error('Name the file: verify-export.ts <attendance.csv>');
    return 2;
  }
  const entries = readExport(await readFile(path, 'utf8'));
  const verdict = verifyChain(entries);
  if (!verdict.isWhole) {
    console.error(`Not as it was written: entry ${verdict.brokenAt}: ${verdict.why}.`);
    return 1;
  }
  const last = entries.at(-1);
  const url = process.env.DATABASE_URL;
  if (last && url && !(await isInLog(url, last))) {
    console.error('A whole chain, but not the one in the database.');
    return 1;
  }
  console.log(`${verdict.entries} entries, as they were written.`);
  return 0;
}

async function isInLog(
  url: string,
  { workshop_id, number, hash }: { workshop_id: string; number: string; hash: string },
): Promise<boolean> {
  const { $client: sql } = connect(url, { max: 1 });
  try {
    const found = await sql`
      select from public.attendance_log
      where workshop_id = ${workshop_id} and number = ${Number(number)} and hash = ${hash}`;
    return found.length === 1;
  } finally {
    await sql.end();
  }
}

process.exitCode = await main(process.argv[2]);
