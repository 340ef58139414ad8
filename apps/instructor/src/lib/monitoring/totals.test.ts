import type { MonitoringOverview } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { hourOf, inWords, totalsOf } from './totals.ts';

const none = { samples: 0, p50Ms: null, p95Ms: null, p99Ms: null };
const minute = (time: string, change: object) => ({
  ...{ minute: `2026-11-21T${time}:00.000000Z`, calls: 0, failedCalls: 0, tabs: 0, liveTabs: 0 },
  ...{ opened: 0, failed: 0, lost: 0, recovered: 0, messages: 0, browserErrors: 0 },
  ...change,
});
const overview = (minutes: MonitoringOverview['minutes']): MonitoringOverview => ({
  ...{ at: '2026-11-21T10:05:20.000000Z', minutes, screen: none, calls: none, jobs: [] },
  ...{ queues: [], errors: [] },
  engagement: { liveSeconds: 0, stillSeconds: 0, liveActions: 0, stillActions: 0 },
});

it('takes the rate from a minute that is over, and the rest from the hour', () => {
  const hour = overview([
    minute('10:01', { opened: 8, failed: 2, browserErrors: 1 }),
    minute('10:04', { messages: 40, tabs: 9 }),
    minute('10:05', { messages: 3, tabs: 5, liveTabs: 4, failedCalls: 2 }),
  ]);
  expect(totalsOf(hour)).toMatchObject({
    ...{ tabs: 5, liveTabs: 4, successPercent: 80, messagesPerMinute: 40, errors: 3 },
  });
  const bars = hourOf(hour);
  expect(bars).toHaveLength(60);
  expect(bars.slice(-2).map(({ messages }) => messages)).toEqual([40, 3]);
});

it('knows nothing before anything has happened', () => {
  expect(totalsOf(overview([]))).toMatchObject({ successPercent: null, messagesPerMinute: 0 });
});

it('says durations as people do', () => {
  expect([null, 8.46, 340.4, 1234].map(inWords)).toEqual(['–', '8.5 ms', '340 ms', '1.2 s']);
});
