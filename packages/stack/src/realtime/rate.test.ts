import { expect, it } from 'vitest';
import { Rate } from './rate.ts';

it('averages over the last minute, in steps of five seconds', () => {
  const rate = new Rate(10);
  for (let n = 0; n < 50; n += 1) expect(rate.add(1_000)).toBe(true);
  expect(rate.add(1_000)).toBe(false);
  expect(rate.add(6_000)).toBe(true);
});

it('forgets what is more than a minute old', () => {
  const rate = new Rate(1);
  for (let n = 0; n < 1_000; n += 1) rate.add(0);
  expect(rate.add(59_000)).toBe(false);
  expect(rate.add(65_000)).toBe(true);
});

it('limits nothing when there is no limit', () => {
  const rate = new Rate(Infinity);
  for (let n = 0; n < 10_000; n += 1) expect(rate.add(0)).toBe(true);
});
