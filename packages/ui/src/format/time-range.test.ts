import { expect, it } from 'vitest';
import { timeRange } from './time-range.ts';

it('says the day once when it begins and ends on it', () => {
  const from = Date.UTC(2026, 10, 21, 17, 0);
  const text = timeRange(from, from + 90 * 60_000, 'en-GB', 'Europe/Berlin');
  expect(text).toContain('18:00');
  expect(text).toContain('19:30');
  expect(text.match(/November/g)).toHaveLength(1);
});
