/** Conditions of filters that only Postgres can decide, many in one question. */
import type pg from 'pg';
import { isUnavailable } from '../database-fault.ts';

/** Conditions in one question, and bytes of their text. */
const MAX_CONDITIONS = 500;
const MAX_BYTES = 4 * 1024 * 1024;

/** Those of the conditions, as SQL without parameters, that are true. One that fails is not. */
export async function trueOnes(
  pool: pg.Pool,
  conditions: Iterable<string>,
): Promise<ReadonlySet<string>> {
  const holding = new Set<string>();
  for (const part of parts(conditions)) {
    for (const one of await ask(pool, part)) holding.add(one);
  }
  return holding;
}

function* parts(conditions: Iterable<string>): Iterable<string[]> {
  let [part, bytes]: [string[], number] = [[], 0];
  for (const condition of conditions) {
    part.push(condition);
    bytes += condition.length;
    if (part.length < MAX_CONDITIONS && bytes < MAX_BYTES) continue;
    yield part;
    [part, bytes] = [[], 0];
  }
  if (part.length > 0) yield part;
}

async function ask(pool: pg.Pool, conditions: readonly string[]): Promise<string[]> {
  try {
    const { rows } = await pool.query<{ holds: (boolean | null)[] }>(
      `select array[${conditions.map((one) => `(${one})`).join(', ')}] as holds`,
    );
    return conditions.filter((_, n) => rows[0]?.holds[n] === true);
  } catch (error) {
    if (isUnavailable(error)) throw error;
    if (conditions.length === 1) return [];
    // Whichever failed must not decide for the others.
    const middle = Math.ceil(conditions.length / 2);
    const first = await ask(pool, conditions.slice(0, middle));
    return [...first, ...(await ask(pool, conditions.slice(middle)))];
  }
}
