import type { Notification } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { groupByDay } from './groups.ts';

const at = (createdAt: string): Notification => ({
  ...{ id: createdAt, type: 'system', level: 'info', title: '', message: '', data: {}, count: 1 },
  ...{ courseId: null, relatedEntityType: null, relatedEntityId: null },
  ...{ readAt: null, expiresAt: null, createdAt },
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
