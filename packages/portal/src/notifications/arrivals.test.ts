import type { Notification } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { splitArrivals } from './arrivals.ts';

const at = (seconds: number) =>
  ({ id: `n${seconds}`, listedAt: `2026-01-01T00:00:0${seconds}.000000Z` }) as Notification;

it('holds back what is newer than what was shown', () => {
  const list = [at(4), at(3), at(2), at(1)];
  expect(splitArrivals(list, at(2).listedAt)).toEqual({ waiting: 2, shown: [at(2), at(1)] });
});

it('holds nothing back when nothing came', () => {
  expect(splitArrivals([at(2), at(1)], at(2).listedAt)).toEqual({
    waiting: 0,
    shown: [at(2), at(1)],
  });
});

it('holds everything back from a reader who was shown an empty list', () => {
  expect(splitArrivals([at(1)], '')).toEqual({ waiting: 1, shown: [] });
});
