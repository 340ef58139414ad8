import { sql, type SQL, type SQLWrapper } from 'drizzle-orm';
import { encodeCursor, type Keyset } from '../pagination/contract.ts';

/**
 * A time as every output of ours writes it: UTC, with Postgres's microseconds, so that it can be
 * given back as part of a cursor without losing its place.
 */
export function isoTime(column: SQLWrapper): SQL {
  return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}

/**
 * The number of rows to read, written into the statement: Postgres plans a prepared statement
 * once for all parameters, and without the number it expects a tenth of the table (measured: a
 * fifth slower for 20 rows of 2,000).
 */
export function rowCount(rows: number): SQL {
  if (!Number.isSafeInteger(rows) || rows < 0) throw new RangeError(`${rows} is no number of rows`);
  return sql.raw(String(rows));
}

/** Only what comes after the cursor, in a list with the newest first. */
export function isAfter(cursor: Keyset | undefined, createdAt: SQLWrapper, id: SQLWrapper): SQL {
  if (!cursor) return sql`true`;
  return sql`(${createdAt}, ${id}) < (${cursor.createdAt}::timestamptz, ${cursor.id}::uuid)`;
}

/** Only what comes after the cursor, in a list with the oldest moment first. */
export function isLater(cursor: Keyset | undefined, moment: SQLWrapper, id: SQLWrapper): SQL {
  if (!cursor) return sql`true`;
  return sql`(${moment}, ${id}) > (${cursor.createdAt}::timestamptz, ${cursor.id}::uuid)`;
}

/** A page from rows of which one more than `limit` was asked for, to know whether there is more. */
export function toPage<Row>(
  rows: Row[],
  limit: number,
  keysetOf: (row: Row) => Keyset,
): { items: Row[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(keysetOf(last)) : null };
}

/** The row of a statement that always gives exactly one. */
export function onlyRow<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error('A statement that always gives a row gave none');
  return row;
}
