/** Columns whose type is a row of its own: what it is made of. */
import type pg from 'pg';
import { columnType, type Field } from './values.ts';

type FieldRow = {
  name: string;
  type: string;
  base: string;
  element: string | null;
  /** Of the field, or of what its array holds, when that is composite again. */
  composite: number | null;
};

const FIELDS = `
  with recursive base(oid, base_oid) as (
    select a.atttypid, a.atttypid
      from pg_type c join pg_attribute a on a.attrelid = c.typrelid
      where c.oid = $1 and a.attnum > 0 and not a.attisdropped
    union
    select b.oid, t.typbasetype from base b join pg_type t on t.oid = b.base_oid where t.typtype = 'd'
  )
  select a.attname as name, t.typname as type, bt.typname as base, et.typname as element,
    case when coalesce(et.typtype, bt.typtype) = 'c' then coalesce(et.oid, bt.oid)::int8::float8 end
      as composite
  from pg_type c
  join pg_attribute a on a.attrelid = c.typrelid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  join base b on b.oid = t.oid
  join pg_type bt on bt.oid = b.base_oid and bt.typtype <> 'd'
  left join pg_type et on et.oid = bt.typelem and bt.typcategory = 'A'
  where c.oid = $1
  order by a.attnum`;

/** The fields of a composite type, in their order. */
export async function fieldsOf(pool: pg.Pool, typeOid: number): Promise<Field[]> {
  const { rows } = await pool.query<FieldRow>(FIELDS, [typeOid]);
  const fields: Field[] = [];
  for (const { name, type, base, element, composite } of rows) {
    const inner = composite === null ? null : await fieldsOf(pool, composite);
    fields.push({ name, type: columnType(type, base, element, inner) });
  }
  return fields;
}
