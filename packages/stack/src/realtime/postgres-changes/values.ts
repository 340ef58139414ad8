/** A column's text, as the log has it, to the JSON text that `to_jsonb` would give. Pure. */

/** How a type's values look in JSON. `name` is `pg_type.typname`. */
export type ColumnType = {
  name: string;
  shape: 'number' | 'boolean' | 'json' | 'timestamp' | 'timestamptz' | 'text';
  /** Of an array, what it holds. */
  element: ColumnType | null;
  /** Of a composite type, what it is made of. */
  fields: readonly Field[] | null;
};

/** One field of a composite type. */
export type Field = { name: string; type: ColumnType };

/** `typname` of a base type → its shape; what is missing is text. */
const SHAPES: Record<string, ColumnType['shape']> = {
  int2: 'number',
  int4: 'number',
  int8: 'number',
  float4: 'number',
  float8: 'number',
  numeric: 'number',
  bool: 'boolean',
  json: 'json',
  jsonb: 'json',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
};

/**
 * The type of a column. `base` is the name behind a domain; `element` that of an array's items;
 * `fields` are those of the type, or of the array's items.
 */
export function columnType(
  name: string,
  base: string,
  element: string | null,
  fields: readonly Field[] | null = null,
): ColumnType {
  const items = element === null ? null : columnType(element, element, null, fields);
  return {
    name,
    shape: SHAPES[base] ?? 'text',
    element: items,
    fields: element === null ? fields : null,
  };
}

/** JSON text of a value in its text form. */
export function jsonOf(type: ColumnType, text: string): string {
  if (type.element !== null) return arrayJson(type.element, text);
  if (type.fields !== null) return compositeJson(type.fields, text);
  switch (type.shape) {
    case 'number':
      // NaN and the infinities are no JSON numbers.
      return /^-?\d/.test(text) ? text : JSON.stringify(text);
    case 'boolean':
      return text === 't' ? 'true' : 'false';
    case 'json':
      return text;
    case 'timestamp':
      return JSON.stringify(text.replace(' ', 'T'));
    case 'timestamptz':
      return JSON.stringify(text.replace(' ', 'T').replace(/([+-]\d\d)( BC)?$/, '$1:00$2'));
    case 'text':
      return JSON.stringify(text);
  }
}

/** A row's text, `(1,"a,b",,"""quoted""")`: what is empty and not quoted is null. */
function compositeJson(fields: readonly Field[], text: string): string {
  const values = [...text.slice(1, -1).matchAll(/(?:^|,)(?:"((?:[^"\\]|\\.|"")*)"|([^,]*))/gs)];
  const members = fields.map(({ name, type }, n) => {
    const [, quoted, bare = ''] = values[n] ?? [];
    const value = quoted?.replace(/\\(.)|""/gs, (_, escaped?: string) => escaped ?? '"');
    const isNull = value === undefined && bare === '';
    return `${JSON.stringify(name)}:${isNull ? 'null' : jsonOf(type, value ?? bare)}`;
  });
  return `{${members.join(',')}}`;
}

/** An array's text, `{1,NULL,"a,b",{…}}`, perhaps with its bounds before it. */
function arrayJson(element: ColumnType, text: string): string {
  let at = text.indexOf('{');
  const quoted = (): string => {
    let value = '';
    for (at += 1; text[at] !== '"' && at < text.length; at += 1) {
      if (text[at] === '\\') at += 1;
      value += text[at] ?? '';
    }
    at += 1;
    return value;
  };
  const bare = (): string => {
    const start = at;
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at += 1;
    return text.slice(start, at);
  };
  const item = (): string => {
    if (text[at] === '{') return list();
    if (text[at] === '"') return jsonOf(element, quoted());
    const value = bare();
    return value === 'NULL' ? 'null' : jsonOf(element, value);
  };
  const list = (): string => {
    const items: string[] = [];
    at += 1;
    while (at < text.length && text[at] !== '}') {
      items.push(item());
      if (text[at] === ',') at += 1;
    }
    at += 1;
    return `[${items.join(',')}]`;
  };
  return at < 0 ? JSON.stringify(text) : list();
}
