import { expect, it } from 'vitest';
import { Rate } from './rate.ts';

it('answers for a burst when its five seconds are over', () => {
  const rate = new Rate(10);
  rate.count(1_000, 60);
  expect(rate.isReached(4_999)).toBe(false);
  expect(rate.average(5_000)).toBe(12);
  expect(rate.isReached(5_000)).toBe(true);
});

it('averages over a minute, so that a burst is forgiven with time', () => {
  const rate = new Rate(10);
  rate.count(0, 100);
  expect(rate.isReached(5_000)).toBe(true);
  expect(rate.average(10_000)).toBe(10);
  expect(rate.isReached(15_000)).toBe(false);
});

it('forgets what is more than a minute old', () => {
  const rate = new Rate(1);
  rate.count(0, 1_000);
  expect(rate.isReached(60_000)).toBe(true);
  expect(rate.isReached(65_000)).toBe(false);
  expect(rate.average(10_000_000)).toBe(0);
});

it('survives a clock that is put back', () => {
  const rate = new Rate(1);
  rate.count(1_000_000, 10);
  rate.count(0, 10);
  expect(rate.isReached(5_000)).toBe(true);
});

it('limits and counts nothing when there is no limit', () => {
  const rate = new Rate(Infinity);
  rate.count(0, 10_000);
  expect(rate.isReached(5_000)).toBe(false);
});
