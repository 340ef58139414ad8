/** How rows that are to be judged are named to Postgres. */
import pg from 'pg';
import type { Table } from './table.ts';

/** A row to be judged, and the transaction that changed it. */
export type JudgedRow = {
  /** The primary key's values, in their text form, in the table's order of the key. */
  key: readonly string[];
  xid: number;
};

/**
 * Whether what a transaction did can be seen: it has left the list of those in progress. Its number
 * is given by 32 bits, and is the one of those that is nearest to the newest of all. An expression
 * of SQL; reads the column or variable `xid`, a bigint.
 */
export const IS_OVER = `(
  select pg_visible_in_snapshot((near - ((near - xid) & 4294967295))::text::xid8, snapshot)
  from pg_current_snapshot() as snapshot
  cross join lateral (select pg_snapshot_xmax(snapshot)::text::bigint + 2147483648 as near) as newest
)`;

/**
 * Waits until others see what is to be judged: the log tells of a commit a moment before they do,
 * and SQL has nothing that waits for the end of a transaction of others, so it is looked at again.
 * A statement of plpgsql; reads the parameter `xids`.
 */
export const WAIT_FOR_COMMITS = `
  while exists (select from unnest(xids) as xid where not ${IS_OVER}) loop
    perform pg_sleep(0.0002);
  end loop;`;

/** Parameters of a function that takes rows: the transactions, then a list per column of the key. */
export function rowParameters(table: Table): string {
  return ['xids bigint[]', ...table.primaryKey.map((_, n) => `realtime_keys_${n} text[]`)].join(
    ', ',
  );
}

/** Values for {@link rowParameters}. */
export function rowValues(table: Table, rows: readonly JudgedRow[]): unknown[] {
  return [
    [...new Set(rows.map((row) => row.xid))],
    ...table.primaryKey.map((_, n) => rows.map((row) => row.key[n])),
  ];
}

/** The rows' keys as a table `realtime_row`, with each row's place in `realtime_nth`, from 1. */
export function rowSource(table: Table): string {
  const lists = table.primaryKey.map((column, n) => `realtime_keys_${n}::${column.sqlType}[]`);
  const names = table.primaryKey.map((_, n) => `realtime_key_${n}`);
  return `unnest(${lists.join(', ')}) with ordinality as realtime_row(${names.join(', ')}, realtime_nth)`;
}

/** The same for a single row: the planner then knows that it is one, and plans for that. */
export function onlyRowSource(table: Table): string {
  const keys = table.primaryKey.map(
    (column, n) => `realtime_keys_${n}[1]::${column.sqlType} as realtime_key_${n}`,
  );
  return `(select ${keys.join(', ')}, 1::bigint as realtime_nth) as realtime_row`;
}

/** That a row of the table, under this name, is the one that a row of the source names. */
export function isRow(table: Table, name: string): string {
  return table.primaryKey
    .map((column, n) => `${name}.${pg.escapeIdentifier(column.name)} = realtime_key_${n}`)
    .join(' and ');
}

/** The table's name in SQL. */
export function tableName({ schema, name }: Table): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}
