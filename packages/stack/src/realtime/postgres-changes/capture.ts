/** Takes a change out of the log's buffers. Pure. */
import type { Relation, Tuple } from '../replication/pgoutput.ts';
import type { Change } from '../replication/stream.ts';
import type { CapturedChange } from './payload.ts';

/** Copies a change, and completes each half with what the other one knows. */
export function capture(change: Change): CapturedChange {
  const { relation, kind, commitTimeMs, xid } = change;
  const record = change.new === null ? null : rowOf(relation, change.new);
  let oldRecord = change.old === null ? null : identityOf(relation, change.old);
  if (kind === 'UPDATE' && record !== null) {
    // Large values that didn't change are sent with neither half, unless the identity is full.
    for (const [name, value] of record) {
      if (value === undefined) record.set(name, oldRecord?.get(name));
    }
    // An unchanged key isn't sent again as the old one.
    oldRecord ??= pick(relation, record);
  }
  const bytes = size(change.new) + size(change.old);
  return {
    kind,
    schema: relation.schema,
    table: relation.name,
    record,
    oldRecord,
    commitTimeMs,
    xid,
    bytes,
  };
}

type MutableRow = Map<string, string | null | undefined>;

function rowOf(relation: Relation, tuple: Tuple): MutableRow {
  const row: MutableRow = new Map();
  relation.columns.forEach(({ name }, n) => {
    const value = tuple[n];
    row.set(name, value ? value.toString('utf8') : value);
  });
  return row;
}

/** The columns of the replica identity: all of them when it is full. */
function identityOf(relation: Relation, tuple: Tuple): MutableRow {
  return pick(relation, rowOf(relation, tuple));
}

function pick(relation: Relation, row: MutableRow): MutableRow {
  const keys = relation.columns.filter((column) => column.isKey);
  return new Map(keys.map(({ name }) => [name, row.get(name)]));
}

function size(tuple: Tuple | null): number {
  return (tuple ?? []).reduce((sum, value) => sum + (value?.length ?? 0), 0);
}
