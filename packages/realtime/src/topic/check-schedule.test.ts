import { describe, expect, it } from 'vitest';
import { nextCheckDelayMs, type CheckFacts } from './check-schedule.ts';

const joined: CheckFacts = {
  status: 'joined',
  visible: true,
  empty: false,
  first: true,
  failures: 0,
};
const lost: CheckFacts = { ...joined, status: 'blocked' };
const range = (facts: CheckFacts) => [nextCheckDelayMs(facts, 0), nextCheckDelayMs(facts, 1)];

describe('the next question to the API', () => {
  it('is never asked for a hidden page, nor for a topic that is refused or not followed', () => {
    expect(range({ ...lost, visible: false })).toEqual([null, null]);
    expect(range({ ...lost, status: 'refused' })).toEqual([null, null]);
    expect(range({ ...lost, status: 'idle' })).toEqual([null, null]);
  });

  it('comes 3 s after a loss, then every 5 s, give or take half', () => {
    expect(range(lost)).toEqual([3_000, 3_000]);
    expect(range({ ...lost, status: 'waiting', first: false })).toEqual([2_500, 7_500]);
  });

  it('comes sooner when there is nothing to show yet', () => {
    expect(range({ ...lost, empty: true })).toEqual([1_000, 1_000]);
  });

  it('comes every two minutes on a channel, give or take a quarter', () => {
    expect(range(joined)).toEqual([90_000, 150_000]);
  });

  it('comes later with each failure, at most after half a minute', () => {
    expect(range({ ...joined, failures: 1 })).toEqual([500, 4_500]);
    expect(range({ ...lost, failures: 2 })).toEqual([500, 8_500]);
    expect(range({ ...lost, failures: 50 })).toEqual([500, 30_500]);
  });
});
