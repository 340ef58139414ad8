import { expect, it } from 'vitest';
import { readNotificationQuery } from './query.ts';

const read = (text: string, timeZone = 'UTC') =>
  readNotificationQuery(new URLSearchParams(text), timeZone);

it('turns the address into filters, whole days with both ends', () => {
  expect(read('type=review&read=false&from=2026-11-01&to=2026-11-02').filters).toEqual({
    type: 'review',
    read: false,
    from: '2026-11-01T00:00:00.000Z',
    to: '2026-11-02T23:59:59.999999Z',
  });
});

it('leaves out what makes no sense, and "all"', () => {
  expect(read('box=attic&type=&read=maybe&from=yesterday&to=2026-13').filters).toEqual({});
  expect(read('box=snoozed').filters).toEqual({ box: 'snoozed' });
  expect(read('from=2026-11-05&to=2026-11-01').query.to).toBe('');
});

it('begins and ends the days where the reader is, also when the clocks change', () => {
  expect(read('from=2026-10-25&to=2026-10-25', 'Europe/Berlin').filters).toEqual({
    from: '2026-10-24T22:00:00.000Z',
    to: '2026-10-25T22:59:59.999999Z',
  });
});
