import { expect, it } from 'vitest';
import { localTimeOf, momentOf } from './zoned-time.ts';

const zone = 'Europe/Stockholm';

it('is what the clock of a zone shows, in winter and in summer, and back', () => {
  expect(momentOf('2031-01-15T18:00', zone)).toEqual({ at: '2031-01-15T17:00:00.000Z' });
  expect(momentOf('2031-07-15T18:00', zone)).toEqual({ at: '2031-07-15T16:00:00.000Z' });
  expect(localTimeOf('2031-07-15T16:00:00.000000Z', zone)).toBe('2031-07-15T18:00');
});

it('takes the first of an hour that comes twice, and none that is skipped', () => {
  expect(momentOf('2031-10-26T02:30', zone)).toEqual({ at: '2031-10-26T00:30:00.000Z' });
  expect(momentOf('2031-03-30T02:30', zone)).toEqual({ no: 'skipped' });
});

it('takes nothing that is no time', () => {
  for (const text of ['', 'tomorrow', '2031-13-01T10:00']) {
    expect(momentOf(text, zone), text).toEqual({ no: 'unreadable' });
  }
  expect(momentOf('2031-01-15T18:00', 'Mars/Olympus')).toEqual({ no: 'unreadable' });
});
