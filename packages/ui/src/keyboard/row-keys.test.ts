import { expect, it } from 'vitest';
import { nextRow } from './row-keys.ts';

it('goes down with j and up with k, and stops at both ends', () => {
  expect(nextRow('j', -1, 3)).toBe(0);
  expect(nextRow('j', 1, 3)).toBe(2);
  expect(nextRow('j', 2, 3)).toBeUndefined();
  expect(nextRow('k', 1, 3)).toBe(0);
  expect(nextRow('k', 0, 3)).toBeUndefined();
  expect(nextRow('x', 0, 3)).toBeUndefined();
});
