/** A change as JSON text, for those who may read some of its columns. Pure. */
import type { Table, TableColumn } from './table.ts';
import { jsonOf } from './values.ts';
import type { ChangeKind } from '../replication/pgoutput.ts';
import type { Row } from './match.ts';

/** A change taken out of the log: values as text, so that it may wait for its turn. */
export type CapturedChange = {
  kind: ChangeKind;
  schema: string;
  table: string;
  /** The new row; null for DELETE. */
  record: Row | null;
  /** What the replica identity tells of the old row; null for INSERT. */
  oldRecord: Row | null;
  commitTimeMs: number;
  /** The transaction's number, as the log has it. */
  xid: number;
  /** Bytes of all its values. */
  bytes: number;
};

const TOO_LARGE = '["Error 413: Payload Too Large"]';
/** Of a row that is too large only values up to this many bytes are sent. */
const SHORT_VALUE_BYTES = 64;

/** `data` of a postgres_changes message. `canRead` says which columns the reader gets. */
export function changeJson(
  change: CapturedChange,
  table: Table,
  canRead: (column: TableColumn) => boolean,
  maxBytes: number,
): string {
  const isTooLarge = change.bytes > maxBytes;
  const columns = table.columns.filter(canRead);
  const described = columns.map(({ name, type }) => JSON.stringify({ name, type: type.name }));
  const parts = [
    head(change),
    `"commit_timestamp":${JSON.stringify(new Date(change.commitTimeMs).toISOString())}`,
    `"columns":[${described.join(',')}]`,
  ];
  if (change.record !== null) parts.push(`"record":${rowJson(change.record, columns, isTooLarge)}`);
  if (change.oldRecord !== null) {
    parts.push(`"old_record":${rowJson(change.oldRecord, columns, isTooLarge)}`);
  }
  parts.push(`"errors":${isTooLarge ? TOO_LARGE : 'null'}`);
  return `{${parts.join(',')}}`;
}

/** `data` for a reader who may not know more than that something happened. */
export function errorJson(change: CapturedChange, error: string): string {
  return `{${head(change)},"columns":[],"errors":[${JSON.stringify(error)}]}`;
}

function head({ schema, table, kind }: CapturedChange): string {
  return `"schema":${JSON.stringify(schema)},"table":${JSON.stringify(table)},"type":"${kind}"`;
}

function rowJson(row: Row, columns: TableColumn[], onlyShort: boolean): string {
  const fields: string[] = [];
  for (const { name, type } of columns) {
    const value = row.get(name);
    if (value === undefined) continue;
    if (onlyShort && value !== null && Buffer.byteLength(value) > SHORT_VALUE_BYTES) continue;
    fields.push(`${JSON.stringify(name)}:${value === null ? 'null' : jsonOf(type, value)}`);
  }
  return `{${fields.join(',')}}`;
}
