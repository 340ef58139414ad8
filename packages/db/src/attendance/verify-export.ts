import { connect } from '../connect.ts';
import { readExport, verifyChain, type LogEntry } from './chain.ts';

/** Whether an export is what was written, and in a sentence what was found. */
export type ExportVerdict = { isGenuine: boolean; finding: string };

/**
 * Verifies an export of a workshop's attendance: that no entry was changed, left out or put in, and,
 * where there is a database, that it is the log of that database up to its last entry.
 * @throws Error when the text is no export
 */
export async function verifyExport(
  csv: string,
  databaseUrl: string | null,
): Promise<ExportVerdict> {
  const entries = readExport(csv);
  const verdict = verifyChain(entries);
  if (!verdict.isWhole) {
    const finding = `Not as it was written: entry ${verdict.brokenAt}: ${verdict.why}.`;
    return { isGenuine: false, finding };
  }
  const written = `${verdict.entries} entries, as they were written`;
  const last = entries.at(-1);
  if (last === undefined || databaseUrl === null) {
    return { isGenuine: true, finding: `${written}. Not compared with a database.` };
  }
  return (await isInLog(databaseUrl, last))
    ? { isGenuine: true, finding: `${written}, and the log of the database.` }
    : { isGenuine: false, finding: 'A whole chain, but not the one in the database.' };
}

async function isInLog(url: string, { workshop_id, number, hash }: LogEntry): Promise<boolean> {
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
