import { describe, expect, it } from 'vitest';
import { ClockOffset } from './clock-offset.ts';

describe('latency', () => {
  it('is measured by the server’s clock, however wrong the device’s is', () => {
    const offset = new ClockOffset();
    offset.sample(10_000, 10_040, 70_020); // the device is a minute behind
    expect(offset.latencyMs(70_100, 10_130)).toBe(30);
    expect(offset.serverTime(10_130)).toBe(70_130);
  });

  it('believes the answer with the shortest round trip', () => {
    const offset = new ClockOffset();
    offset.sample(10_000, 10_020, 70_010);
    offset.sample(20_000, 24_000, 80_100);
    expect(offset.latencyMs(90_000, 30_010)).toBe(10);
  });

  it('never falls below zero: an event comes after its commit', () => {
    const offset = new ClockOffset();
    expect(offset.latencyMs(5_000, 4_000)).toBe(0);
    expect(offset.latencyMs(6_000, 5_007)).toBe(7);
  });
});
