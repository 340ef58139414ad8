import { expect, it } from 'vitest';
import { valueScale } from './value-scale.ts';

it('ends at a round number above all values', () => {
  const scale = valueScale([3, 87]);
  expect(scale.ticks).toEqual([0, 20, 40, 60, 80, 100]);
  expect(scale.percent(50)).toBe(50);
});

it('counts in whole numbers when there is little to count', () => {
  expect(valueScale([0, 1]).ticks).toEqual([0, 1, 2, 3, 4]);
  expect(valueScale([]).ticks).toEqual([0, 1, 2, 3, 4]);
});
