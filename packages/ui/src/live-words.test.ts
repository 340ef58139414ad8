import { expect, it } from 'vitest';
import { liveWords } from './live-words.ts';

it('says when the last change came, and how fast', () => {
  expect(liveWords('live', { lastEventAt: 8_000, latencyMs: 13.6, now: 10_000 })).toBe(
    'Live. Last change 2 s ago, on your screen 14 ms after it happened.',
  );
});

it('claims nothing about changes when there were none', () => {
  expect(liveWords('live', { now: 10_000 })).toBe('Live.');
});

it('says so when what is shown may be old', () => {
  expect(liveWords('offline', { lastEventAt: 1, now: 2 })).toBe(
    'Offline. This is what was here last.',
  );
});
