import type { Delivery } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { digestWords, weekdayOptions } from './digest-words.ts';

const delivery: Delivery = {
  timeZone: 'Europe/Vienna',
  quietHours: { isOn: false, from: '22:00', to: '07:00', days: [1, 2, 3, 4, 5, 6, 7] },
  digest: { frequency: 'weekly', weekday: 1, hour: 6 },
  nextDigestAt: '2026-11-23T05:00:00.000000Z',
  sendsMail: true,
};

it('says when the next digest comes, where its reader is, and why it waits', () => {
  const words = digestWords(delivery, 'ann@example.test', 'en-GB');
  expect(words).toContain('Monday 23 November at 06:00, to ann@example.test');
  const quietHours = { ...delivery.quietHours, isOn: true };
  const later = { ...delivery, quietHours, nextDigestAt: '2026-11-23T06:00:00.000000Z' };
  expect(digestWords(later, 'a@b', 'en-GB')).toContain('at 07:00, when your quiet hours are over,');
  expect(digestWords({ ...delivery, nextDigestAt: null }, 'a@b', 'en-GB')).toBe('No digest comes.');
});

it('begins the week on Monday', () => {
  expect(weekdayOptions('en-GB').map(({ label }) => label.slice(0, 2))).toEqual(
    'Mo Tu We Th Fr Sa Su'.split(' '),
  );
});
