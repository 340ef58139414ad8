import { expect, it } from 'vitest';
import { lastDays, readPeriod, searchOf } from './period.ts';

const NOW = Date.parse('2026-11-21T23:30:00Z');

it('ends today where the reader is, not where the server is', () => {
  expect(lastDays(7, 'UTC', NOW)).toMatchObject({ from: '2026-11-15', to: '2026-11-21' });
  expect(lastDays(7, 'Europe/Berlin', NOW)).toMatchObject({ from: '2026-11-16', to: '2026-11-22' });
});

it('reads its own address, and nothing that makes no sense', () => {
  const period = { from: '2026-01-01', to: '2026-02-01', timeZone: 'Asia/Tokyo' };
  const read = (search: string) => readPeriod(new URLSearchParams(search), 'UTC', NOW);
  expect(read(searchOf(period))).toEqual(period);
  const usual = lastDays(30, 'UTC', NOW);
  expect(read('?from=2026-02-01&to=2026-01-01')).toEqual(usual);
  expect(read('?from=yesterday&to=today&zone=Mars/Olympus')).toEqual(usual);
});
