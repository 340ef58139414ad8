import type { Notification } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { groupByDay } from './groups.ts';

const at = (listedAt: string): Notification => ({
  ...{ id: listedAt, type: 'system', level: 'info', title: '', message: '', data: {}, count: 1 },
  ...{ courseId: null, relatedEntityType: null, relatedEntityId: null },
  ...{ readAt: null, expiresAt: null, archivedAt: null, snoozedUntil: null },
  ...{ createdAt: '2026-11-01T12:00:00.000000Z', listedAt },
});

it('groups by the day of the reader, not of the server', () => {
  const list = [at('2026-11-20T23:30:00.000000Z'), at('2026-11-20T11:00:00.000000Z')];
  const now = Date.parse('2026-11-21T08:00:00Z');
  const labels = (zone: string) =>
    groupByDay(list, now, 'en-GB', zone).map(({ label, items }) => [label, items.length]);
  expect(labels('UTC')).toEqual([['Yesterday', 2]]);
  expect(labels('Europe/Berlin')).toEqual([
    ['Today', 1],
    ['Yesterday', 1],
  ]);
});

it('groups what is snoozed by the day on which it comes back', () => {
  const snoozed = {
    ...at('2026-11-20T11:00:00.000000Z'),
    snoozedUntil: '2026-11-22T07:00:00.000000Z',
  };
  const now = Date.parse('2026-11-21T08:00:00Z');
  expect(groupByDay([snoozed], now, 'en-GB', 'UTC').map(({ label }) => label)).toEqual([
    'Tomorrow',
  ]);
});
