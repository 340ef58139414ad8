import { expect, it } from 'vitest';
import type { ConnectionState, Metrics } from '../connection/connection.ts';
import { Tally } from './tally.ts';

const metrics = (change: Partial<Metrics> = {}): Metrics => ({
  ...{ eventsApplied: 0, duplicatesDropped: 0, gapsRecovered: 0, opened: 0, openFailures: 0 },
  ...{ lost: 0, reconnects: 0, snapshotsLoaded: 0 },
  ...change,
});

const state = (
  status: ConnectionState['status'],
  lastEventAt?: number,
  latencyMs?: number,
): ConnectionState => ({ status, lastEventAt, latencyMs });

it('reports what has happened since the last report', () => {
  const tally = new Tally('tab', 0, true);
  tally.connection(state('live', 10, 8), 1_000);
  tally.connection(state('live', 10, 8), 1_500);
  tally.connection(state('live', 20, 9), 2_000);
  tally.acted();
  const first = tally.take(metrics({ opened: 1, eventsApplied: 2 }), 3_000, false);
  expect(first).toMatchObject({
    ...{ tabId: 'tab', isLive: true, opened: 1, messages: 2, screenMs: [8, 9] },
    ...{ stillSeconds: 1, liveSeconds: 2, liveActions: 1, stillActions: 0 },
  });
  tally.connection(state('polling', 20, 9), 4_000);
  const second = tally.take(metrics({ opened: 1, lost: 1, eventsApplied: 2 }), 6_000, true);
  expect(second).toMatchObject({
    ...{ isLive: false, isClosing: true, opened: 0, lost: 1, messages: 0, screenMs: [] },
    ...{ liveSeconds: 1, stillSeconds: 2 },
  });
});

it('counts no time in which nobody looks', () => {
  const tally = new Tally('tab', 0, true);
  tally.lookedAt(false, 1_000);
  tally.lookedAt(true, 60_000);
  expect(tally.take(metrics(), 61_000, false)).toMatchObject({ stillSeconds: 2, liveSeconds: 0 });
});

it('stays within what the API takes, however much breaks', () => {
  const tally = new Tally('tab', 0, true);
  const told: number[] = [];
  for (let report = 0; report < 10; report += 1) {
    for (let number = 0; number < 9; number += 1) {
      const message = `${number} `.repeat(400);
      tally.failed({ place: 'bell', message, path: '/' });
      tally.failed({ place: 'bell', message, path: '/elsewhere' });
    }
    const { errors } = tally.take(metrics(), 0, false);
    told.push(errors.length);
    expect(errors.every(({ message }) => message.length <= 500)).toBe(true);
  }
  expect(told).toEqual([5, 5, 5, 5, 0, 0, 0, 0, 0, 0]);
});
