/**
 * A policy's condition, as `pg_get_expr` writes it (names qualified, parentheses everywhere), turned
 * into one that asks for many subjects at once. Pure. The result is for Postgres to parse: whatever
 * is not understood here is left as it is, and shows there, or in a count that doesn't match.
 */

/** Functions of the claims alone, whose values are kept for every subject. */
export const CLAIM_FUNCTIONS = ['uid', 'role', 'email', 'jwt'] as const;
/** The table of subjects, as conditions see it. */
export const SUBJECT = 'realtime_subject';

/** Its column with the value of `auth.<name>()`; named as no table's own column is. */
export function subjectColumn(name: string): string {
  return `${SUBJECT}_${name}`;
}

/** A table that a subselect reads alone, and how a condition on it is put behind token `at`. */
export type ReadTable = {
  schema: string;
  name: string;
  alias: string;
  at: number;
  put: (condition: string) => string;
};

const TOKEN =
  /E?'(?:[^'\\]|''|\\.)*'|"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*|\d[\d.]*|[-+*/<>=~!@#%^&|`?:]+|\s+|./gsu;

/** The text's strings, names, numbers, operators and signs. Joined by spaces they are the same SQL. */
export function tokenize(text: string): string[] {
  return (text.match(TOKEN) ?? []).filter((token) => token.trim() !== '');
}

/** Replaces calls of the claims' functions by the subject's columns. */
export function askOfSubject(tokens: readonly string[]): string[] {
  const replaced: string[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const [schema, dot, name = '', open, close] = tokens.slice(at, at + 5);
    const isCall = schema === 'auth' && dot === '.' && open === '(' && close === ')';
    if (isCall && CLAIM_FUNCTIONS.some((known) => known === name)) {
      replaced.push(`${SUBJECT}.${subjectColumn(name)}`);
      at += 4;
    } else {
      replaced.push(tokens[at] ?? '');
    }
  }
  return replaced;
}

/**
 * Replaces `(select x as name)`, by which one has `x` computed once per query, by `(x)`: beside many
 * subjects it would be computed for each all the same, and stand in the way of a join.
 */
export function unwrapSelects(tokens: readonly string[]): string[] {
  const unwrapped = [...tokens];
  for (let at = unwrapped.length - 2; at >= 0; at -= 1) {
    if (unwrapped[at] !== '(' || unwrapped[at + 1] !== 'SELECT') continue;
    const end = closing(unwrapped, at);
    const inner = unwrapped.slice(at + 2, end);
    const named = inner.at(-2) === 'AS' ? inner.slice(0, -2) : inner;
    if (end > 0 && isOneExpression(named)) unwrapped.splice(at, end - at + 1, '(', ...named, ')');
  }
  return unwrapped;
}

/** No list, no clause: of a select, nothing but what it selects. */
function isOneExpression(tokens: readonly string[]): boolean {
  let depth = 0;
  for (const token of tokens) {
    if (token === '(' || token === '[') depth += 1;
    else if (token === ')' || token === ']') depth -= 1;
    else if (depth === 0 && (token === ',' || CLAUSES.has(token))) return false;
  }
  return tokens.length > 0;
}

const CLAUSES = new Set(
  'FROM WHERE GROUP HAVING ORDER LIMIT OFFSET FETCH UNION INTERSECT EXCEPT DISTINCT WINDOW'.split(
    ' ',
  ),
);

/** Every `FROM schema.table [alias]` that is the whole of a subselect's sources. */
export function readTables(tokens: readonly string[]): ReadTable[] {
  const tables: ReadTable[] = [];
  tokens.forEach((token, from) => {
    const [schema = '', dot, name = ''] = tokens.slice(from + 1, from + 4);
    if (token !== 'FROM' || dot !== '.') return;
    const after = tokens[from + 4] ?? '';
    const isAliased = after !== 'WHERE' && after !== ')';
    const end = from + (isAliased ? 5 : 4);
    const names = { schema: unquote(schema), name: unquote(name) };
    const alias = unquote(isAliased ? after : name);
    if (tokens[end] === 'WHERE') {
      tables.push({ ...names, alias, at: end, put: (condition) => `( ${condition} ) AND` });
    } else if (tokens[end] === ')') {
      tables.push({ ...names, alias, at: end - 1, put: (condition) => `WHERE ( ${condition} )` });
    }
  });
  return tables;
}

/** The parts of a condition that is `(a) OR (b)`; otherwise the condition itself. */
export function alternatives(tokens: readonly string[]): string[][] {
  const isWrapped = tokens[0] === '(' && closing(tokens, 0) === tokens.length - 1;
  const inner = isWrapped ? tokens.slice(1, -1) : tokens;
  const parts: string[][] = [[]];
  let depth = 0;
  for (const token of inner) {
    if (token === '(' || token === '[' || token === 'CASE') depth += 1;
    else if (token === ')' || token === ']' || token === 'END') depth -= 1;
    if (depth === 0 && token === 'OR') parts.push([]);
    else parts.at(-1)?.push(token);
  }
  if (parts.length > 1) return parts.flatMap(alternatives);
  return isWrapped ? alternatives(inner) : [[...tokens]];
}

function closing(tokens: readonly string[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    if (tokens[at] === '(') depth += 1;
    else if (tokens[at] === ')') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
