import { expect, it } from 'vitest';
import { localOf, momentOf } from './schedule.ts';

it('goes from the reader’s clock to the moment and back, in summer and winter', () => {
  expect(momentOf('2026-01-15T09:00', 'Europe/Berlin')).toBe('2026-01-15T08:00:00.000Z');
  expect(momentOf('2026-07-15T09:00', 'Europe/Berlin')).toBe('2026-07-15T07:00:00.000Z');
  expect(localOf('2026-07-15T07:00:00.000Z', 'Europe/Berlin')).toBe('2026-07-15T09:00');
  expect(momentOf('tomorrow', 'Europe/Berlin')).toBeUndefined();
});
