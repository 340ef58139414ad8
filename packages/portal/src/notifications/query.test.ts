import { expect, it } from 'vitest';
import { readNotificationQuery } from './query.ts';

const read = (text: string) => readNotificationQuery(new URLSearchParams(text));

it('turns the address into filters, whole days with both ends', () => {
  expect(read('type=review&read=false&from=2026-11-01&to=2026-11-02').filters).toEqual({
    type: 'review',
    read: false,
    from: '2026-11-01T00:00:00Z',
    to: '2026-11-02T23:59:59.999999Z',
  });
});

it('leaves out what makes no sense, and "all"', () => {
  expect(read('type=&read=maybe&from=yesterday&to=2026-13').filters).toEqual({});
  expect(read('from=2026-11-05&to=2026-11-01').query.to).toBe('');
});
