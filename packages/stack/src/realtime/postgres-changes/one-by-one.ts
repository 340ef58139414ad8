/** Row level security asked as each user in turn: right for any policy, at a price per user. */
import pg from 'pg';
import type { Claims } from '../token/verifier.ts';
import {
  isRow,
  rowParameters,
  rowSource,
  rowValues,
  tableName,
  WAIT_FOR_COMMITS,
  type JudgedRow,
} from './row-keys.ts';
import type { Table } from './table.ts';

const INVALID_PARAMETER = '22023';
/** Of each connection, the tables for which the function is there. */
const prepared = new WeakMap<pg.Client, Map<number, Table>>();

/** Which of the rows do these claims, all of one role, see? One round trip. */
export async function askOneByOne(
  client: pg.Client,
  table: Table,
  rows: readonly JudgedRow[],
  role: string,
  claims: readonly Claims[],
): Promise<{ claims: Claims; row: number }[]> {
  await prepare(client, table);
  const lists = table.primaryKey.map((_, n) => `$${n + 4}`);
  try {
    const answer = await client.query<{ claim: number; row: number }>({
      text: `select claim, "row"::int4 from ${functionName(table)}(${['$1', '$2', '$3', ...lists].join(', ')})`,
      values: [role, claims.map((one) => one.json), ...rowValues(table, rows)],
    });
    return answer.rows.flatMap(({ claim, row }) => {
      const one = claims[claim - 1];
      return one === undefined ? [] : [{ claims: one, row: row - 1 }];
    });
  } catch (error) {
    // A role that doesn't exist sees nothing.
    if (error instanceof pg.DatabaseError && error.code === INVALID_PARAMETER) return [];
    throw error;
  }
}

async function prepare(client: pg.Client, table: Table): Promise<void> {
  let tables = prepared.get(client);
  if (tables === undefined) prepared.set(client, (tables = new Map<number, Table>()));
  if (tables.get(table.oid) === table) return;
  await client.query(definition(table));
  tables.set(table.oid, table);
}

function functionName(table: Table): string {
  return `pg_temp.realtime_visible_${table.oid}`;
}

/** A policy that fails for some claims (a `sub` that is no uuid, say) hides the rows from them. */
function definition(table: Table): string {
  return `
    drop function if exists ${functionName(table)};
    create function ${functionName(table)}(role text, claims text[], ${rowParameters(table)})
    returns table (claim int, "row" bigint) language plpgsql as $function$
    #variable_conflict use_column
    declare
      setting text;
    begin
      ${WAIT_FOR_COMMITS}
      setting := set_config('role', role, true);
      for n in 1 .. cardinality(claims) loop
        setting := set_config('request.jwt.claims', claims[n], true);
        begin
          return query select n, realtime_nth from ${rowSource(table)}
            where exists (select from ${tableName(table)} t where ${isRow(table, 't')});
        exception when others then null;
        end;
      end loop;
    end $function$`;
}
