/** By which column a table is sorted, and in which direction. */
export type Sorting<Column extends string> = {
  column: Column;
  direction: 'ascending' | 'descending';
};

/**
 * The rows in the order that is asked for. Texts by the reader's alphabet, with numbers in them
 * as numbers; equal rows keep their order.
 */
export function sorted<Row, Column extends keyof Row & string>(
  rows: readonly Row[],
  { column, direction }: Sorting<Column>,
): Row[] {
  const sign = direction === 'ascending' ? 1 : -1;
  return rows.toSorted((a, b) => sign * compare(a[column], b[column]));
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
