import { sql, type SQL, type SQLWrapper } from 'drizzle-orm';

/**
 * A time as every output of ours writes it: UTC, with Postgres's microseconds, so that it can be
 * given back as part of a cursor without losing its place.
 */
export function isoTime(column: SQLWrapper): SQL {
  return sql`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
