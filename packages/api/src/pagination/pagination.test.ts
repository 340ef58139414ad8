import { expect, it } from 'vitest';
import { decodeCursor, encodeCursor, pageInput } from './contract.ts';

const LAST = {
  createdAt: '2026-11-20T12:00:00.123456Z',
  id: '5f0f6c39-3f4b-4f0e-9a57-7b3c9d8f1a11',
};

it('gives back the place that it was made from, microseconds included', () => {
  expect(decodeCursor(encodeCursor(LAST))).toEqual(LAST);
});

it('is safe in a URL', () => {
  expect(encodeCursor(LAST)).toMatch(/^[\w-]+$/);
});

it.each(['', 'x', '{}', btoa('{}'), btoa('["now", 1]'), btoa(`["${LAST.createdAt}", "1; drop"]`)])(
  'refuses %j, which no list has given',
  (cursor) => {
    expect(decodeCursor(cursor)).toBeNull();
    expect(pageInput.safeParse({ cursor }).error?.issues[0]?.path).toEqual(['cursor']);
  },
);

it.each([0, 101, 1.5, '20'])('refuses a limit of %j', (limit) => {
  expect(pageInput.safeParse({ limit }).error?.issues[0]?.path).toEqual(['limit']);
});
