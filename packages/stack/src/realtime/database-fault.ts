/** Which failures of a query say nothing about the query. */
import pg from 'pg';

/** Classes of SQLSTATE: connection, resources, operator intervention (shutdown, cancel), system. */
const CLASSES = new Set(['08', '53', '57', '58']);

/** Whether the database could not be asked, so that the same question may be asked again later. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return CLASSES.has(error.code?.slice(0, 2) ?? '');
  // What isn't an answer of the database is a fault on the way to it.
  return error instanceof Error && !(error instanceof TypeError || error instanceof RangeError);
}
