import { expect, it } from 'vitest';
import { timePresent } from './time-present.ts';

it('is said in minutes, then in hours', () => {
  expect([59, 60, 2_999, 3_600, 3_900, 7_199].map(timePresent)).toEqual([
    undefined,
    '1 min',
    '49 min',
    '1 h 00 min',
    '1 h 05 min',
    '1 h 59 min',
  ]);
});
