import { createHash } from 'node:crypto';

/** An entry of a workshop's attendance log, as its export has it: all texts, as they were hashed. */
export type LogEntry = Record<(typeof COLUMNS)[number], string>;

/** The columns of an export, in order; names of people come behind them, and aren't hashed. */
const COLUMNS = [
  'previous_hash',
  'workshop_id',
  'number',
  'user_id',
  'action',
  'method',
  'happened_at',
  'recorded_at',
  'actor_id',
  'session_id',
  'reason',
  'hash',
] as const;

/** What was found. `brokenAt` is the number of the first entry that isn't what was written. */
export type Verdict =
  { isWhole: true; entries: number } | { isWhole: false; brokenAt: number; why: string };

/** Whether entries are the whole beginning of a log, each as it was written. */
export function verifyChain(entries: readonly LogEntry[]): Verdict {
  let previous = '';
  for (const [index, entry] of entries.entries()) {
    const brokenAt = index + 1;
    const fail = (why: string): Verdict => ({ isWhole: false, brokenAt, why });
    if (entry.number !== String(brokenAt)) return fail('an entry is missing or out of order');
    if (entry.previous_hash !== previous) return fail('it does not follow the entry before it');
    if (entry.hash !== hashOf(entry)) return fail('it was changed');
    previous = entry.hash;
  }
  return { isWhole: true, entries: entries.length };
}

/** As `private.attendance_hash` makes it: over a JSON array as Postgres writes it. */
function hashOf({ hash: _, ...entry }: LogEntry): string {
  const hashed = COLUMNS.filter((column) => column !== 'hash').map((column) =>
    column === 'number' ? entry[column] : JSON.stringify(entry[column]),
  );
  return createHash('sha256')
    .update(`[${hashed.join(', ')}]`)
    .digest('hex');
}

/** The entries of an export (RFC 4180). @throws Error when it isn't one */
export function readExport(csv: string): LogEntry[] {
  const [header = [], ...rows] = readCsv(csv);
  if (COLUMNS.some((column, at) => header[at] !== column)) {
    throw new Error(`Not an export of attendance: it begins with ${header.join(',')}`);
  }
  return rows.map(
    (row) =>
      Object.fromEntries(
        COLUMNS.map((column, at) => [column, hashedOf(row[at] ?? '')]),
      ) as LogEntry,
  );
}

/** What was hashed: without the apostrophe that keeps a spreadsheet from calculating with it. */
function hashedOf(field: string): string {
  return /^'+[=+\-@\t\r]/.test(field) ? field.slice(1) : field;
}

/** Rows of fields; a field in quotes may hold commas, lines and doubled quotes. */
function readCsv(csv: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end] of csv.matchAll(
    /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|$)/g,
  )) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  }
  return rows;
}
