import { expect, it } from 'vitest';
import { relativeTime } from './relative-time.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const ago = (ms: number) => relativeTime(now - ms, now, 'en-GB', 'UTC');

it('is relative until a day, then a date', () => {
  expect(ago(5_000)).toBe('just now');
  expect(ago(3 * 60_000)).toBe('3 min ago');
  expect(ago(5 * 3_600_000)).toBe('5 hr ago');
  expect(ago(3 * 86_400_000)).toBe('17 Nov');
  expect(ago(400 * 86_400_000)).toBe('16 Oct 2025');
});
