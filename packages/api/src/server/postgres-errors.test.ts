import { expect, it } from 'vitest';
import { fromPostgres } from './postgres-errors.ts';

/** An error as postgres.js throws it. */
function databaseError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

it('takes the code that a function raised before that of its sqlstate', () => {
  expect(fromPostgres(databaseError('42501', 'TOPIC_FORBIDDEN'))).toBe('TOPIC_FORBIDDEN');
  expect(fromPostgres(databaseError('P0001', 'COURSE_NOT_FOUND: no such course'))).toBe(
    'COURSE_NOT_FOUND',
  );
});

it.each([
  ['42501', 'FORBIDDEN'],
  ['23505', 'ALREADY_EXISTS'],
  ['40P01', 'CONFLICT'],
  ['57P01', 'UNAVAILABLE'],
  ['ECONNREFUSED', 'UNAVAILABLE'],
])('tells %s as %s', (code, appCode) => {
  expect(fromPostgres(databaseError(code, 'permission denied for table x'))).toBe(appCode);
});

it('looks through what Drizzle wraps around it', () => {
  const cause = databaseError('23505', 'duplicate key value');
  expect(fromPostgres(new Error('Failed query', { cause }))).toBe('ALREADY_EXISTS');
});

it('says nothing about a mistake of ours, nor about other errors', () => {
  expect(fromPostgres(databaseError('42P01', 'relation "x" does not exist'))).toBeNull();
  expect(fromPostgres(new Error('FORBIDDEN'))).toBeNull();
  expect(fromPostgres('FORBIDDEN')).toBeNull();
});
