/** Row level security: which of these rows may these claims see? Asked of Postgres itself. */
import pg from 'pg';
import type { Claims } from '../token/verifier.ts';
import type { Table } from './table.ts';

const INVALID_PARAMETER = '22023';

/** The primary key's values of one row, in their text form, in the table's order of the key. */
export type RowKey = readonly string[];

/**
 * Asks for many rows and many claims in one round trip. Each distinct set of claims is asked once,
 * however many sockets have it, by a function that lives as long as the connection: the policy is
 * planned once per table and role. The rows are judged as they are now, as upstream does.
 */
export class Visibility {
  readonly #pool: pg.Pool;
  readonly #prepared = new WeakMap<pg.PoolClient, Map<number, Table>>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** For each of the claims, the indexes of the keys that they see. */
  async visible(
    table: Table,
    keys: readonly RowKey[],
    claims: readonly Claims[],
  ): Promise<Map<Claims, Set<number>>> {
    const seen = new Map(claims.map((one) => [one, new Set<number>()]));
    if (keys.length === 0 || claims.length === 0) return seen;
    const client = await this.#pool.connect();
    let failure: Error | undefined;
    try {
      await this.#prepare(client, table);
      for (const [role, ofRole] of Map.groupBy(claims, (one) => one.role)) {
        for (const { claim, row } of await ask(client, table, keys, role, ofRole)) {
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
  keys: readonly RowKey[],
  role: string,
  claims: readonly Claims[],
): Promise<{ claim: number; row: number }[]> {
  try {
    const { rows } = await client.query<{ claim: number; row: number }>({
      text: `select claim, "row"::int4 from ${functionName(table)}($1, $2, ${columnParameters(table)})`,
      values: [role, claims.map((one) => one.json), ...columnsOf(table, keys)],
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
  return table.primaryKey.map((_, n) => `$${n + 3}`).join(', ');
}

function columnsOf(table: Table, keys: readonly RowKey[]): (string | undefined)[][] {
  return table.primaryKey.map((_, n) => keys.map((key) => key[n]));
}

/** A policy that fails for some claims (a `sub` that is no uuid, say) hides the rows from them. */
function definition(table: Table): string {
  const name = pg.escapeIdentifier;
  const keys = table.primaryKey.map((_, n) => `k${n}`);
  const unnested = table.primaryKey.map((column, n) => `k${n}::${column.sqlType}[]`);
  const same = table.primaryKey.map((column, n) => `t.${name(column.name)} = k.k${n}`);
  return `
    drop function if exists ${functionName(table)};
    create function ${functionName(table)}(role text, claims text[], ${keys.map((key) => `${key} text[]`).join(', ')})
    returns table (claim int, "row" bigint) language plpgsql as $function$
    #variable_conflict use_column
    begin
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
