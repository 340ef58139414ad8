import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type Postgres } from '../../testing/index.ts';
import { trueOnes } from './conditions.ts';

let postgres: Postgres;
let pool: pg.Pool;
beforeAll(async () => {
  postgres = await startPostgres();
  pool = new pg.Pool({ connectionString: postgres.adminUrl('postgres') });
  pool.on('error', () => undefined);
});
afterAll(async () => {
  await pool.end();
  await postgres.stop();
});

it('finds the true ones among thousands', async () => {
  const conditions = Array.from({ length: 1_700 }, (_, n) => `${n} % 7 = 0`);
  const expected = conditions.filter((_, n) => n % 7 === 0);
  expect([...(await trueOnes(pool, conditions))]).toEqual(expected);
});

it('takes what fails, and what is unknown, for not true, and lets the others be', async () => {
  const conditions = [`'b' like 'b'`, `1 / 0 = 1`, `null::int = 1`, `'a' ~ '('`, `2 > 1`];
  expect([...(await trueOnes(pool, conditions))]).toEqual([`'b' like 'b'`, `2 > 1`]);
});

it('asks nothing when there is nothing to ask', async () => {
  expect((await trueOnes(pool, [])).size).toBe(0);
});
