/** What is known of a published table: its columns, its key, and who may read what of it. */
import type pg from 'pg';
import type { Relation } from '../replication/pgoutput.ts';
import { fieldsOf } from './composite.ts';
import { columnType, type ColumnType } from './values.ts';

export type TableColumn = {
  name: string;
  type: ColumnType;
  /** As SQL writes it, for casts. */
  sqlType: string;
  isEnum: boolean;
  isPrimaryKey: boolean;
};

export type Table = {
  oid: number;
  schema: string;
  name: string;
  columns: TableColumn[];
  primaryKey: TableColumn[];
  hasRowSecurity: boolean;
};

type ColumnRow = {
  name: string;
  type: string;
  base: string;
  element: string | null;
  sql_type: string;
  is_enum: boolean;
  /** Oid of the composite type that it is, or holds. */
  composite: number | null;
  is_primary_key: boolean;
  has_row_security: boolean;
};

/** A column's type is named by `pg_type.typname`, a domain's shape is that of what is behind it. */
const DESCRIBE = `
  with recursive base(oid, base_oid) as (
    select t.oid, t.oid from pg_type t
      where t.oid in (select atttypid from pg_attribute where attrelid = $1 and attnum > 0 and not attisdropped)
    union all
    select b.oid, t.typbasetype from base b join pg_type t on t.oid = b.base_oid where t.typtype = 'd'
  )
  select a.attname as name, t.typname as type, bt.typname as base,
    case when bt.typcategory = 'A' then coalesce(et.typname, null) end as element,
    format_type(a.atttypid, a.atttypmod) as sql_type,
    bt.typtype = 'e' as is_enum,
    case when coalesce(et.typtype, bt.typtype) = 'c' then coalesce(et.oid, bt.oid)::int8::float8 end
      as composite,
    coalesce(a.attnum = any(i.indkey), false) as is_primary_key,
    c.relrowsecurity as has_row_security
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  join base b on b.oid = t.oid
  join pg_type bt on bt.oid = b.base_oid and bt.typtype <> 'd'
  left join pg_type et on et.oid = bt.typelem and bt.typcategory = 'A'
  left join pg_index i on i.indrelid = c.oid and i.indisprimary
  where c.oid = $1
  order by a.attnum`;

/** Descriptions of tables, kept until the log says that a table has changed. */
export class Tables {
  readonly #pool: pg.Pool;
  readonly #tables = new Map<number, Promise<Table | null>>();
  readonly #selectable = new Map<string, Promise<ReadonlySet<string>>>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** The table's definition or grants may have changed. */
  forget(oid: number): void {
    this.#tables.delete(oid);
    for (const key of this.#selectable.keys()) {
      if (key.startsWith(`${oid} `)) this.#selectable.delete(key);
    }
  }

  /** The table behind a relation of the log, or null if it is gone. */
  get(relation: Pick<Relation, 'oid' | 'schema' | 'name'>): Promise<Table | null> {
    return remember(this.#tables, relation.oid, () => this.#describe(relation));
  }

  /** Names of the columns that a role may read. */
  selectable(oid: number, role: string): Promise<ReadonlySet<string>> {
    return remember(this.#selectable, `${oid} ${role}`, async () => {
      const { rows } = await this.#pool.query<{ name: string }>(
        `select attname as name from pg_attribute join pg_roles on rolname = $2
         where attrelid = $1 and attnum > 0 and not attisdropped
           and has_column_privilege(pg_roles.oid, attrelid, attnum, 'select')`,
        [oid, role],
      );
      return new Set(rows.map((row) => row.name));
    });
  }

  /** Oid of a table in the publication, by name; null if it isn't there. */
  async published(publication: string, schema: string, name: string): Promise<number | null> {
    const { rows } = await this.#pool.query<{ oid: number }>(
      `select format('%I.%I', schemaname, tablename)::regclass::oid::int8::float8 as oid
       from pg_publication_tables
       where pubname = $1 and ($2 = '*' or schemaname = $2) and ($3 = '*' or tablename = $3) limit 1`,
      [publication, schema, name],
    );
    return rows[0]?.oid ?? null;
  }

  async #column(row: ColumnRow): Promise<TableColumn> {
    const fields = row.composite === null ? null : await fieldsOf(this.#pool, row.composite);
    return {
      name: row.name,
      type: columnType(row.type, row.base, row.element, fields),
      sqlType: row.sql_type,
      isEnum: row.is_enum,
      isPrimaryKey: row.is_primary_key,
    };
  }

  async #describe({
    oid,
    schema,
    name,
  }: Pick<Relation, 'oid' | 'schema' | 'name'>): Promise<Table | null> {
    const { rows } = await this.#pool.query<ColumnRow>(DESCRIBE, [oid]);
    if (rows.length === 0) return null;
    const columns = await Promise.all(rows.map((row) => this.#column(row)));
    const primaryKey = columns.filter((column) => column.isPrimaryKey);
    return {
      oid,
      schema,
      name,
      columns,
      primaryKey,
      hasRowSecurity: rows[0]?.has_row_security === true,
    };
  }
}

/** Keeps a promise by key; a failed one is asked again. */
function remember<K, V>(cache: Map<K, Promise<V>>, key: K, ask: () => Promise<V>): Promise<V> {
  let promise = cache.get(key);
  if (promise === undefined) {
    promise = ask();
    cache.set(key, promise);
    promise.catch(() => cache.delete(key));
  }
  return promise;
}
