import { describe, expect, it } from 'vitest';
import type { LiveEvent } from '../connection/api.ts';
import { Feed } from './feed.ts';

const event = (seq: number): LiveEvent => ({ seq, event: 'thing.happened', at: seq, data: null });
const events = (...numbers: number[]) => numbers.map(event);
const numbers = (told: readonly LiveEvent[] | undefined) => told?.map(({ seq }) => seq);

describe('a feed', () => {
  it('holds events until there is a snapshot, and gives those after it', () => {
    const feed = new Feed();
    expect(feed.receive(events(3, 4, 5))).toEqual([]);
    expect(numbers(feed.snapshot(3))).toEqual([4, 5]);
    expect(feed.hasGap).toBe(false);
  });

  it('waits for what is missing, and then gives all in order', () => {
    const feed = new Feed();
    feed.snapshot(0);
    expect(numbers(feed.receive(events(1, 4, 3)))).toEqual([1]);
    expect(feed.hasGap).toBe(true);
    expect(numbers(feed.receive(events(2)))).toEqual([2, 3, 4]);
    expect(feed.hasGap).toBe(false);
  });

  it('gives each event once', () => {
    const feed = new Feed();
    feed.snapshot(0);
    feed.receive(events(1, 2));
    expect(feed.receive(events(2, 1, 2))).toEqual([]);
    expect(feed.duplicates).toBe(3);
  });

  it('knows of a gap from a number heard elsewhere', () => {
    const feed = new Feed();
    feed.snapshot(3);
    feed.heardOf(5);
    expect(feed.hasGap).toBe(true);
  });

  it('gives again, after an older snapshot, what it has retained', () => {
    const feed = new Feed();
    feed.snapshot(2);
    const release = feed.retain();
    feed.receive(events(3, 4));
    expect(numbers(feed.snapshot(3))).toEqual([4]);
    release();
    expect(numbers(feed.givenOutAfter(3))).toBeUndefined();
  });

  it('sees a gap when an older snapshot tells less than it had', () => {
    const feed = new Feed();
    feed.snapshot(7);
    feed.snapshot(5);
    expect(feed.hasGap).toBe(true);
  });

  it('takes a page of missed events whole, however much it holds already', () => {
    const feed = new Feed();
    feed.snapshot(0);
    feed.receive(Array.from({ length: 1_000 }, (_, index) => event(index + 1_000)));
    const page = Array.from({ length: 500 }, (_, index) => event(index + 1));
    expect(feed.receive(page)).toHaveLength(500);
  });

  it('holds no more than it must while a gap stays open', () => {
    const feed = new Feed();
    feed.snapshot(0);
    feed.receive(Array.from({ length: 5_000 }, (_, index) => event(index + 2)));
    const page = Array.from({ length: 500 }, (_, index) => event(index + 1));
    expect(feed.receive(page).length).toBe(1_001);
    expect(feed.hasGap).toBe(true);
    expect(numbers(feed.receive(events(1_002, 1_003, 1_004)))).toEqual([1_002, 1_003, 1_004]);
  });
});
