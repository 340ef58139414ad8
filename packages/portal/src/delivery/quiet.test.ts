import { expect, it } from 'vitest';
import { isQuietAt } from './quiet.ts';

const days = [1, 2, 3, 4, 5, 6, 7];
const night = { from: '22:00', to: '07:00', days };
/** From Friday evening to Saturday morning, and from Saturday to Sunday. */
const weekend = { ...night, days: [5, 6] };

it.each([
  [night, '2026-11-02T20:59:59Z', false],
  [night, '2026-11-02T21:00:00Z', true],
  [night, '2026-11-02T23:00:00Z', true],
  [night, '2026-11-03T05:59:59Z', true],
  [night, '2026-11-03T06:00:00Z', false],
  // In summer the same clock is another moment; the nights of the change too.
  [night, '2026-07-02T20:00:00Z', true],
  [night, '2026-03-29T05:00:00Z', false],
  [night, '2026-10-25T05:30:00Z', true],
  [{ from: '12:00', to: '13:30', days }, '2026-11-02T11:00:00Z', true],
  [{ from: '12:00', to: '13:30', days }, '2026-11-02T12:30:00Z', false],
  // 6 November is a Friday.
  [weekend, '2026-11-06T05:59:00Z', false],
  [weekend, '2026-11-06T21:00:00Z', true],
  [weekend, '2026-11-08T05:59:00Z', true],
  [weekend, '2026-11-08T21:00:00Z', false],
  [{ from: '12:00', to: '13:30', days: [7] }, '2026-11-08T11:30:00Z', true],
  [{ from: '12:00', to: '13:30', days: [7] }, '2026-11-09T11:30:00Z', false],
  [null, '2026-11-02T23:00:00Z', false],
])('is quiet in Vienna with %o at %s: %s', (hours, at, expected) => {
  expect(isQuietAt(hours, 'Europe/Vienna', Date.parse(at))).toBe(expected);
});
