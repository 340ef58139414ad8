/**
 * A cell as RFC 4180 wants it. What a spreadsheet would take for a formula gets an apostrophe before
 * it: a student chooses their own name.
 */
function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** The columns of a file: their names, and what each says of a row. */
export type CsvColumns<Row> = readonly (readonly [
  name: string,
  of: (row: Row) => string | number | null,
])[];

/** Rows as CSV: RFC 4180, with a first line of names. */
export function csvOf<Row>(columns: CsvColumns<Row>, rows: readonly Row[]): string {
  const lines = [
    columns.map(([name]) => cell(name)),
    ...rows.map((row) => columns.map(([, of]) => cell(of(row)))),
  ];
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('');
}
