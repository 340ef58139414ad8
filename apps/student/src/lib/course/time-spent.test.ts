import { expect, it } from 'vitest';
import { VisibleTime } from './time-spent.ts';

it('counts only while the page can be seen, and each second once', () => {
  const time = new VisibleTime();
  time.set(true, 0);
  expect(time.take(10_500)).toBe(10);
  time.set(false, 12_000);
  expect(time.take(60_000)).toBe(2);
  time.set(true, 60_000);
  expect(time.take(61_000)).toBe(1);
});
