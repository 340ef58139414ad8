/** Row level security: which of these rows may these claims see? Asked of Postgres itself. */
import pg from 'pg';
import type { Claims } from '../token/verifier.ts';
import type { Table } from './table.ts';

const INVALID_PARAMETER = '22023';

/**
 * Whether what a transaction did can be seen: it has left the list of those in progress. Its number
 * is given by 32 bits, and is the one of those that is nearest to the newest of all.
 */
const IS_OVER = `(
  select pg_visible_in_snapshot((near - ((near - xid) & 4294967295))::text::xid8, snapshot)
  from pg_current_snapshot() as snapshot
  cross join lateral (select pg_snapshot_xmax(snapshot)::text::bigint + 2147483648 as near) as newest
)`;

/** A row to be judged, and the transaction that changed it. */
export type JudgedRow = {
  /** The primary key's values, in their text form, in the table's order of the key. */
  key: readonly string[];
  xid: number;
};

/**
 * Asks for many rows and many claims in one round trip. Each distinct set of claims is asked once,
 * however many sockets have it, by a function that lives as long as the connection: the policy is
 * planned once per table and role. The rows are judged as they are now, as upstream does, but not before now: the log tells
 * of a commit a moment before others see it, so we wait until they do.
 */
export class Visibility {
  readonly #pool: pg.Pool;
  readonly #prepared = new WeakMap<pg.PoolClient, Map<number, Table>>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** For each of the claims, the indexes of the rows that they see. */
  async visible(
    table: Table,
    rows: readonly JudgedRow[],
    claims: readonly Claims[],
  ): Promise<Map<Claims, Set<number>>> {
    const seen = new Map(claims.map((one) => [one, new Set<number>()]));
    if (rows.length === 0 || claims.length === 0) return seen;
    const client = await this.#pool.connect();
    let failure: Error | undefined;
    try {
      await this.#prepare(client, table);
      for (const [role, ofRole] of Map.groupBy(claims, (one) => one.role)) {
        for (const { claim, row } of await ask(client, table, rows, role, ofRole)) {
          const one = ofRole[claim - 1];
          if (one !== undefined) seen.get(one)?.add(row - 1);
        }
      }
    } catch (error) {
      failure = error as Error;
      throw error;
    } finally {
      client.release(failure);
    }
    return seen;
  }

  async #prepare(client: pg.PoolClient, table: Table): Promise<void> {
    let prepared = this.#prepared.get(client);
    if (prepared === undefined) {
      prepared = new Map<number, Table>();
      this.#prepared.set(client, prepared);
    }
    if (prepared.get(table.oid) === table) return;
    await client.query(definition(table));
    prepared.set(table.oid, table);
  }
}

async function ask(
  client: pg.PoolClient,
  table: Table,
  judged: readonly JudgedRow[],
  role: string,
  claims: readonly Claims[],
): Promise<{ claim: number; row: number }[]> {
  try {
    const { rows } = await client.query<{ claim: number; row: number }>({
      text: `select claim, "row"::int4 from ${functionName(table)}($1, $2, $3, ${columnParameters(table)})`,
      values: [
        role,
        claims.map((one) => one.json),
        [...new Set(judged.map((row) => row.xid))],
        ...columnsOf(table, judged),
      ],
    });
    return rows;
  } catch (error) {
    // A role that doesn't exist sees nothing.
    if (error instanceof pg.DatabaseError && error.code === INVALID_PARAMETER) return [];
    throw error;
  }
}

function functionName(table: Table): string {
  return `pg_temp.realtime_visible_${table.oid}`;
}

function columnParameters(table: Table): string {
  return table.primaryKey.map((_, n) => `$${n + 4}`).join(', ');
}

function columnsOf(table: Table, rows: readonly JudgedRow[]): (string | undefined)[][] {
  return table.primaryKey.map((_, n) => rows.map((row) => row.key[n]));
}

/** A policy that fails for some claims (a `sub` that is no uuid, say) hides the rows from them. */
function definition(table: Table): string {
  const name = pg.escapeIdentifier;
  const keys = table.primaryKey.map((_, n) => `k${n}`);
  const unnested = table.primaryKey.map((column, n) => `k${n}::${column.sqlType}[]`);
  const same = table.primaryKey.map((column, n) => `t.${name(column.name)} = k.k${n}`);
  return `
    drop function if exists ${functionName(table)};
    create function ${functionName(table)}(role text, claims text[], xids bigint[], ${keys.map((key) => `${key} text[]`).join(', ')})
    returns table (claim int, "row" bigint) language plpgsql as $function$
    #variable_conflict use_column
    begin
      while exists (select from unnest(xids) as xid where not ${IS_OVER}) loop
        perform pg_sleep(0.0002);
      end loop;
      perform set_config('role', role, true);
      for n in 1 .. cardinality(claims) loop
        perform set_config('request.jwt.claims', claims[n], true);
        begin
          return query select n, k.nth
            from unnest(${unnested.join(', ')}) with ordinality as k(${keys.join(', ')}, nth)
            where exists (select from ${name(table.schema)}.${name(table.name)} t where ${same.join(' and ')});
        exception when others then null;
        end;
      end loop;
    end $function$`;
}
