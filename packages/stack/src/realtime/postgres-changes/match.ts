/** Whether a row's value meets a filter: here where text tells, in Postgres where it doesn't. */
import pg from 'pg';
import { isUnavailable } from '../database-fault.ts';
import { FilterError, type Filter, type Operator } from './filter.ts';
import type { Table, TableColumn } from './table.ts';

/** A row's values by column; undefined where the log doesn't have them. */
export type Row = ReadonlyMap<string, string | null | undefined>;

/** A filter made ready for one table. */
export type Condition = {
  column: TableColumn;
  /** Decides by the text of a value that is not null; null where only Postgres can. */
  test: ((value: string) => boolean) | null;
  /** The same as SQL, with the value's literal in. */
  sql: (literal: string) => string;
  filter: Filter;
};

/** Types of which equal values have equal texts. */
const TEXTUAL = new Set([
  'bool',
  'int2',
  'int4',
  'int8',
  'text',
  'varchar',
  'uuid',
  'date',
  'timestamp',
  'timestamptz',
  'oid',
]);
const INTEGERS = new Set(['int2', 'int4', 'int8']);
const PATTERN_TYPES = new Set(['text', 'varchar', 'bpchar', 'citext', 'name']);
const IS_VALUES = new Set(['null', 'true', 'false', 'unknown']);

const SQL_OPERATORS: Record<Exclude<Operator, 'in' | 'is'>, string> = {
  eq: '=',
  neq: '<>',
  lt: '<',
  lte: '<=',
  gt: '>',
  gte: '>=',
  like: 'like',
  ilike: 'ilike',
  match: '~',
  imatch: '~*',
  isdistinct: 'is distinct from',
};

/** Checks filters against a table, as the database sees their values. Throws {@link FilterError}. */
export async function compileFilters(
  pool: pg.Pool,
  table: Table,
  filters: Filter[],
): Promise<Condition[]> {
  return Promise.all(filters.map((filter) => compile(pool, table, filter)));
}

async function compile(pool: pg.Pool, table: Table, filter: Filter): Promise<Condition> {
  const column = table.columns.find(({ name }) => name === filter.column);
  if (column === undefined) throw new FilterError(`invalid column for filter ${filter.column}`);
  checkOperator(column, filter);
  const sql = (literal: string): string => {
    const holds = sqlOf(column, filter, `(${literal})::${column.sqlType}`);
    return filter.isNegated ? `not (${holds})` : holds;
  };
  // A pattern is only compiled, and so checked, when there is something to match it with.
  const probe = sql(PATTERNS.has(filter.operator) ? `''` : 'null');
  const { rows } = await pool
    .query<{ texts: string[] }>(`select array[${canonical(column, filter)}] as texts, ${probe}`)
    .catch((error: unknown) => {
      if (isUnavailable(error)) throw error;
      throw new FilterError((error as Error).message);
    });
  return { column, filter, sql, test: textTest(column, filter, rows[0]?.texts ?? []) };
}

/** The filter's values as the log will write them. */
function canonical(column: TableColumn, { operator, values }: Filter): string {
  if (operator === 'is' || PATTERNS.has(operator)) return `null::text`;
  return values.map((value) => `${pg.escapeLiteral(value)}::${column.sqlType}::text`).join(', ');
}

const PATTERNS = new Set<Operator>(['like', 'ilike', 'match', 'imatch']);

function checkOperator(column: TableColumn, { operator, values }: Filter): void {
  if (PATTERNS.has(operator) && !PATTERN_TYPES.has(column.type.name)) {
    throw new FilterError(`${operator} needs a text column, ${column.name} is ${column.type.name}`);
  }
  if (operator !== 'is') return;
  const value = values[0]?.toLowerCase() ?? '';
  const isAllowed = IS_VALUES.has(value) && (value === 'null' || column.type.shape === 'boolean');
  if (!isAllowed) throw new FilterError(`invalid value for is: ${value}`);
}

function sqlOf(column: TableColumn, { operator, values }: Filter, left: string): string {
  const cast = (value: string): string => `${pg.escapeLiteral(value)}::${column.sqlType}`;
  switch (operator) {
    case 'in':
      return `${left} in (${values.map(cast).join(', ')})`;
    case 'is':
      return `${left} is ${values[0] ?? 'null'}`;
    default: {
      const right = PATTERNS.has(operator)
        ? pg.escapeLiteral(values[0] ?? '')
        : cast(values[0] ?? '');
      return `${left} ${SQL_OPERATORS[operator]} ${right}`;
    }
  }
}

/** The same decision on texts, where it is provably the same. */
function textTest(column: TableColumn, filter: Filter, texts: string[]): Condition['test'] {
  const positive = positiveTest(column, filter, texts);
  if (positive === null || !filter.isNegated) return positive;
  return (value) => !positive(value);
}

function positiveTest(
  column: TableColumn,
  { operator }: Filter,
  texts: string[],
): Condition['test'] {
  const isTextual = TEXTUAL.has(column.type.name) || column.isEnum;
  const [text = ''] = texts;
  switch (operator) {
    case 'eq':
      return isTextual ? (value) => value === text : null;
    case 'neq':
    case 'isdistinct':
      return isTextual ? (value) => value !== text : null;
    case 'in': {
      const set = new Set(texts);
      return isTextual ? (value) => set.has(value) : null;
    }
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return INTEGERS.has(column.type.name) ? integerTest(operator, BigInt(text)) : null;
    default:
      return null;
  }
}

function integerTest(
  operator: 'lt' | 'lte' | 'gt' | 'gte',
  bound: bigint,
): (value: string) => boolean {
  switch (operator) {
    case 'lt':
      return (value) => BigInt(value) < bound;
    case 'lte':
      return (value) => BigInt(value) <= bound;
    case 'gt':
      return (value) => BigInt(value) > bound;
    case 'gte':
      return (value) => BigInt(value) >= bound;
  }
}

/**
 * Whether a row meets all conditions: decided by text, or as the SQL that decides. A value that the
 * log doesn't have meets none.
 */
export function matches(conditions: readonly Condition[], row: Row): boolean | string {
  const open: string[] = [];
  for (const { column, test, sql, filter } of conditions) {
    const value = row.get(column.name);
    if (value === undefined) return false;
    if (test !== null && value !== null) {
      if (!test(value)) return false;
    } else if (value !== null) {
      open.push(sql(pg.escapeLiteral(value)));
    } else if (filter.operator === 'is' || filter.operator === 'isdistinct') {
      open.push(sql('null'));
    } else {
      return false;
    }
  }
  return open.length === 0 || open.map((one) => `(${one})`).join(' and ');
}
