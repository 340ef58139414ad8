import { expect, it } from 'vitest';
import { checkInPhase } from './check-in-window.ts';

const workshop = {
  startsAt: '2026-11-21T18:00:00Z',
  endsAt: '2026-11-21T19:30:00Z',
  checkInOpensMinutes: 15,
  status: 'scheduled',
} as const;
const at = (time: string, status: 'scheduled' | 'cancelled' = 'scheduled') =>
  checkInPhase({ ...workshop, status }, Date.parse(`2026-11-21T${time}Z`));

it('opens some minutes before the beginning, and closes with the end', () => {
  expect(at('17:44:59')).toBe('early');
  expect(at('17:45:00')).toBe('open');
  expect(at('19:29:59')).toBe('open');
  expect(at('19:30:00')).toBe('over');
  expect(at('18:30:00', 'cancelled')).toBe('over');
});
