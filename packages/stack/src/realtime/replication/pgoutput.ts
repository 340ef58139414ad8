/**
 * The messages of Postgres' `pgoutput` plugin, protocol version 1. Pure. Values are views into the
 * frame they came in and are valid only until the caller returns to the event loop.
 */

export type Column = { name: string; typeOid: number; isKey: boolean };
export type Relation = {
  oid: number;
  schema: string;
  name: string;
  /** `d` primary key, `n` nothing, `f` the full row, `i` an index. */
  replicaIdentity: string;
  columns: readonly Column[];
};
/** A value's text; null; or undefined for a large value that was not changed and is not sent. */
export type TupleValue = Buffer | null | undefined;
export type Tuple = TupleValue[];

export type LogicalMessage =
  /** `commit` is where the transaction's commit stands in the log; `end` is after it. */
  | { kind: 'begin'; commit: bigint; commitTimeMs: number; xid: number }
  | { kind: 'commit'; end: bigint }
  | { kind: 'relation'; relation: Relation }
  /** A row of the table `oid`; {@link decodeRows} has the values, for who wants them. */
  | { kind: 'change'; oid: number; change: ChangeKind }
  | { kind: 'other' };

export type ChangeKind = 'INSERT' | 'UPDATE' | 'DELETE';
/** What a row was and is. */
export type ChangedRows =
  | { kind: 'INSERT'; old: null; new: Tuple }
  | { kind: 'UPDATE'; old: Tuple | null; new: Tuple }
  | { kind: 'DELETE'; old: Tuple; new: null };

/** Postgres counts microseconds from 2000-01-01. */
export const POSTGRES_EPOCH_MS = 946_684_800_000;

const B = code('B');
const C = code('C');
const R = code('R');
const I = code('I');
const U = code('U');
const D = code('D');
const N = code('N');
/** The letter and the table. */
const CHANGE_HEADER_BYTES = 5;
const NULL = code('n');
const UNCHANGED = code('u');

function code(letter: string): number {
  return letter.charCodeAt(0);
}

/** Reads one message that begins at `offset`. Throws a RangeError on a truncated one. */
export function decodeLogicalMessage(bytes: Buffer, offset: number): LogicalMessage {
  const reader = new Reader(bytes, offset + 1);
  switch (bytes[offset]) {
    case B:
      return {
        kind: 'begin',
        commit: reader.uint64(),
        commitTimeMs: reader.timestampMs(),
        xid: reader.uint32(),
      };
    case C:
      return { kind: 'commit', end: reader.skip(9).uint64() };
    case R:
      return { kind: 'relation', relation: reader.relation() };
    case I:
      return { kind: 'change', oid: reader.uint32(), change: 'INSERT' };
    case U:
      return { kind: 'change', oid: reader.uint32(), change: 'UPDATE' };
    case D:
      return { kind: 'change', oid: reader.uint32(), change: 'DELETE' };
    default:
      return { kind: 'other' };
  }
}

/** Reads the rows of a change that begins at `offset`. Throws a RangeError on a truncated one. */
export function decodeRows(bytes: Buffer, offset: number, kind: ChangeKind): ChangedRows {
  const reader = new Reader(bytes, offset + CHANGE_HEADER_BYTES);
  switch (kind) {
    case 'INSERT':
      return { kind, old: null, new: reader.skip(1).tuple() };
    case 'DELETE':
      return { kind, old: reader.skip(1).tuple(), new: null };
    case 'UPDATE': {
      const hasOld = reader.uint8() !== N;
      const old = hasOld ? reader.tuple() : null;
      if (hasOld) reader.skip(1);
      return { kind, old, new: reader.tuple() };
    }
  }
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  skip(count: number): this {
    this.#at += count;
    return this;
  }

  uint8(): number {
    const value = this.#bytes.readUInt8(this.#at);
    this.#at += 1;
    return value;
  }

  uint16(): number {
    const value = this.#bytes.readUInt16BE(this.#at);
    this.#at += 2;
    return value;
  }

  uint32(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  uint64(): bigint {
    const value = this.#bytes.readBigUInt64BE(this.#at);
    this.#at += 8;
    return value;
  }

  timestampMs(): number {
    const high = this.uint32();
    const microseconds = high * 0x1_0000_0000 + this.uint32();
    return POSTGRES_EPOCH_MS + microseconds / 1000;
  }

  #string(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    const value = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return value;
  }

  relation(): Relation {
    const oid = this.uint32();
    const schema = this.#string();
    const name = this.#string();
    const replicaIdentity = String.fromCharCode(this.uint8());
    const columns: Column[] = [];
    for (let left = this.uint16(); left > 0; left -= 1) {
      const isKey = this.uint8() === 1;
      const column = { name: this.#string(), typeOid: this.uint32(), isKey };
      this.skip(4);
      columns.push(column);
    }
    return { oid, schema: schema === '' ? 'pg_catalog' : schema, name, replicaIdentity, columns };
  }

  tuple(): Tuple {
    const values: Tuple = [];
    for (let left = this.uint16(); left > 0; left -= 1) values.push(this.#value());
    return values;
  }

  #value(): TupleValue {
    const kind = this.uint8();
    if (kind === NULL) return null;
    if (kind === UNCHANGED) return undefined;
    const start = this.skip(4).#at;
    const length = this.#bytes.readUInt32BE(start - 4);
    this.skip(length);
    if (this.#at > this.#bytes.length) throw new RangeError('truncated tuple');
    return this.#bytes.subarray(start, this.#at);
  }
}
