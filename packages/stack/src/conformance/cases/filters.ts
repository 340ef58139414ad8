import { expect, it } from 'vitest';
import { SCHEMA } from '../schema.ts';
import type { Library, Stage } from '../stage.ts';
import { freshId, watching } from './postgres-changes.ts';

const OWNER = '5f0c1b1e-7a55-4e34-9f5c-0d9f7d9f1a01';

/** A filter, given the ids of four rows, and which of the rows it lets through. */
type FilterCase = readonly [filter: (ids: number[]) => string, passes: number[]];

/**
 * The rows: apple, 10, true, owned · Banana, 20, false · `a,b`, 30 · nothing at all. What is null
 * passes `is` and `isdistinct` only.
 */
const CASES: FilterCase[] = [
  [([, two]) => `id=eq.${two}`, [2]],
  [([, two]) => `id=neq.${two}`, [1, 3, 4]],
  [() => 'amount=lt.20', [1]],
  [() => 'amount=lte.20', [1, 2]],
  [() => 'amount=gt.20', [3]],
  [() => 'amount=gte.20', [2, 3]],
  [([one, , three]) => `id=in.(${one},${three})`, [1, 3]],
  [() => 'body=in.("a,b",apple)', [1, 3]],
  [() => 'body=like.app%', [1]],
  [() => 'body=ilike.BAN%', [2]],
  [() => 'body=match.^a', [1, 3]],
  [() => 'body=imatch.^b', [2]],
  [() => 'done=is.true', [1]],
  [() => 'done=is.null', [3, 4]],
  [() => 'body=isdistinct.apple', [2, 3, 4]],
  [() => 'body=not.like.a%', [2]],
  [() => 'done=not.is.null', [1, 2]],
  [([one, two]) => `id=not.in.(${one},${two})`, [3, 4]],
  [() => 'body=eq."a,b"', [3]],
  [() => `owner=eq.${OWNER}`, [1]],
  [() => 'amount=gte.20,amount=lt.30', [2]],
  [() => 'body=not.is.null,done=is.null', [3]],
];

/** Every operator, negated and combined. */
export function filterCases(stage: () => Stage, library: Library): void {
  it.each(CASES.map(([filter, passes]) => ({ name: filter([1, 2, 3, 4]), filter, passes })))(
    'pass the filter $name',
    async ({ filter, passes }) => {
      const base = freshId();
      const ids = [base, base + 1, base + 2, base + 3];
      const client = await stage().client(library);
      const event = 'INSERT';
      const { heard } = await watching(
        client,
        { event, table: 'notes', filter: filter(ids) },
        { event, table: 'notes' },
      );
      const { sql } = stage();
      await sql`
        insert into ${sql(`${SCHEMA}.notes`)} (id, body, amount, done, owner) values
          (${base}, 'apple', 10, true, ${OWNER}),
          (${base + 1}, 'Banana', 20, false, null),
          (${base + 2}, 'a,b', 30, null, null),
          (${base + 3}, null, null, null, null)`;
      await heard[1]?.count(4);
      const passed = heard[0]?.all.map((change) => Number(change.new['id']) - base + 1);
      expect(passed).toEqual(passes);
    },
  );

  it('filter a deleted row by what the log has of it', async () => {
    const client = await stage().client(library);
    const { heard } = await watching(
      client,
      { event: 'DELETE', table: 'notes', filter: 'body=eq.a' },
      { event: 'DELETE', table: 'full_notes', filter: 'body=eq.a' },
      { event: 'DELETE', table: 'full_notes' },
    );
    const { sql } = stage();
    const id = freshId();
    for (const name of ['notes', 'full_notes']) {
      await sql`insert into ${sql(`${SCHEMA}.${name}`)} (id, body) values (${id}, 'a')`;
      await sql`delete from ${sql(`${SCHEMA}.${name}`)} where id = ${id}`;
    }
    await heard[2]?.find();
    expect(heard.map(({ all }) => all.length)).toEqual([0, 1, 1]);
  });

  it('filter a changed row by what it has become', async () => {
    const client = await stage().client(library);
    const { heard } = await watching(
      client,
      { event: 'UPDATE', table: 'full_notes', filter: 'body=eq.a' },
      { event: 'UPDATE', table: 'full_notes' },
    );
    const { sql } = stage();
    const table = sql(`${SCHEMA}.full_notes`);
    const id = freshId();
    await sql`insert into ${table} (id, body) values (${id}, 'a')`;
    for (const body of ['b', 'a']) await sql`update ${table} set body = ${body} where id = ${id}`;
    await heard[1]?.count(2);
    expect(heard[0]?.all.map((change) => change.new['body'])).toEqual(['a']);
  });
}
