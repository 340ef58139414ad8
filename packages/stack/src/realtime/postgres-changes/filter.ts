/** `filter` of a postgres_changes binding: `col=op.value[,…]`, all of which must hold. Pure. */

/** Every operator that upstream has. */
export type Operator =
  | 'eq'
  | 'neq'
  | 'lt'
  | 'lte'
  | 'gt'
  | 'gte'
  | 'in'
  | 'like'
  | 'ilike'
  | 'is'
  | 'match'
  | 'imatch'
  | 'isdistinct';

/** One condition. `values` has one element, except for `in`. */
export type Filter = { column: string; operator: Operator; isNegated: boolean; values: string[] };

/** The filter cannot be understood; the message names the part. */
export class FilterError extends Error {}

const CONDITION =
  /^([^=]+)=(not\.)?(eq|neq|lte|lt|gte|gt|in|like|ilike|isdistinct|is|match|imatch)\.(.*)$/s;
/** More values of `in` than this are refused. */
const MAX_IN_VALUES = 100;

/** Reads a filter; a missing or blank one has no conditions. Throws {@link FilterError}. */
export function parseFilter(text: unknown): Filter[] {
  if (text === undefined || text === null) return [];
  if (typeof text !== 'string') throw new FilterError('the filter is not a string');
  if (text.trim() === '') return [];
  return splitOutsideQuotes(text).map(parseCondition);
}

function parseCondition(text: string): Filter {
  const match = CONDITION.exec(text.trim());
  if (match === null) throw new FilterError(text.trim());
  const [, column = '', not, operator, value = ''] = match;
  return {
    column: column.trim(),
    operator: operator as Operator,
    isNegated: not !== undefined,
    values: operator === 'in' ? parseList(value) : [unquote(value)],
  };
}

function parseList(value: string): string[] {
  if (!value.startsWith('(') || !value.endsWith(')')) throw new FilterError(`in.${value}`);
  const inner = value.slice(1, -1);
  if (inner.trim() === '') throw new FilterError(`in.${value}`);
  const values = splitOutsideQuotes(inner).map((item) => unquote(item.trim()));
  if (values.length > MAX_IN_VALUES) throw new FilterError(`in: more than ${MAX_IN_VALUES} values`);
  return values;
}

/** Splits on commas, except within quotes and parentheses. A quote opens after `.`, `(` or `,`. */
function splitOutsideQuotes(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (isQuoted) {
      if (character === '\\') at += 1;
      else if (character === '"') isQuoted = false;
    } else if (character === '"' && (at === start || '.(,'.includes(text[at - 1] ?? ''))) {
      isQuoted = true;
    } else if (character === '(') {
      depth += 1;
    } else if (character === ')') {
      depth -= 1;
    } else if (character === ',' && depth <= 0) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function unquote(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  return value.slice(1, -1).replace(/\\(.)/gs, '$1');
}
