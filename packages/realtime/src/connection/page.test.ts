import { describe, expect, it } from 'vitest';
import { FakeClock } from '../testing/fake-clock.ts';
import { watchClock } from './page.ts';

function setUp() {
  const clock = new FakeClock();
  const page = { isVisible: true, jumps: 0 };
  const stop = watchClock(
    clock,
    () => page.isVisible,
    () => (page.jumps += 1),
  );
  return { clock, page, stop };
}

describe('the watch on the clock', () => {
  it('notices a sleep, once', async () => {
    const { clock, page } = setUp();
    await clock.advance(60_000);
    expect(page.jumps).toBe(0);
    clock.jump(3_600_000);
    await clock.advance(60_000);
    expect(page.jumps).toBe(1);
  });

  it('takes the late timers of a hidden page for what they are', async () => {
    const { clock, page } = setUp();
    await clock.advance(10_000);
    page.isVisible = false;
    clock.jump(60_000);
    await clock.advance(10_000);
    expect(page.jumps).toBe(0);
  });

  it('stops when told', async () => {
    const { clock, page, stop } = setUp();
    stop();
    clock.jump(3_600_000);
    await clock.advance(60_000);
    expect([page.jumps, clock.pending]).toEqual([0, 0]);
  });
});
