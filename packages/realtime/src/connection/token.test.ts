import { describe, expect, it } from 'vitest';
import { FakeClock, settled } from '../testing/fake-clock.ts';
import { ClockOffset } from './clock-offset.ts';
import { TokenKeeper, type AccessToken } from './token.ts';

const HOUR_MS = 3_600_000;

function setUp(answer: (asked: number, now: number) => AccessToken | null) {
  const clock = new FakeClock();
  const given: string[] = [];
  let asked = 0;
  const tokens = new TokenKeeper({
    clock,
    offset: new ClockOffset(),
    log: () => undefined,
    getToken: () => new Promise((resolve) => resolve(answer((asked += 1), clock.now()))),
  });
  tokens.onToken((token) => given.push(token));
  return { clock, tokens, given };
}

const forAnHour = (asked: number, now: number) => ({
  token: `token ${asked}`,
  expiresAt: now + HOUR_MS,
  now,
});

describe('the token', () => {
  it('is asked for once, however many need it', async () => {
    const { tokens, given } = setUp(forAnHour);
    const all = await Promise.all([tokens.fresh(), tokens.fresh(), tokens.fresh()]);
    expect(all).toEqual(['token 1', 'token 1', 'token 1']);
    expect(await tokens.fresh()).toBe('token 1');
    expect(given).toEqual(['token 1']);
  });

  it('is replaced a minute before it expires, without being asked', async () => {
    const { clock, tokens, given } = setUp(forAnHour);
    await tokens.fresh();
    await clock.advance(HOUR_MS - 60_001);
    expect(given).toEqual(['token 1']);
    await clock.advance(2);
    expect(given).toEqual(['token 1', 'token 2']);
  });

  it('is not given out after a sleep that it did not survive', async () => {
    const { clock, tokens } = setUp(forAnHour);
    await tokens.fresh();
    clock.jump(2 * HOUR_MS);
    expect(await tokens.fresh()).toBe('token 2');
  });

  it('is refreshed in time on a device whose clock is hours ahead', async () => {
    const { clock, tokens, given } = setUp((asked, now) => forAnHour(asked, now - 5 * HOUR_MS));
    await tokens.fresh();
    await clock.advance(HOUR_MS / 2);
    expect(given).toEqual(['token 1']);
    await clock.advance(HOUR_MS / 2);
    expect(given).toEqual(['token 1', 'token 2']);
  });

  it('keeps trying to refresh while the server is away', async () => {
    let isAway = false;
    const { clock, tokens, given } = setUp((asked, now) => {
      if (isAway) throw new TypeError('fetch failed');
      return forAnHour(asked, now);
    });
    await tokens.fresh();
    isAway = true;
    await clock.advance(HOUR_MS - 50_000);
    isAway = false;
    await clock.advance(15_000);
    expect(given).toHaveLength(2);
  });

  it('says so when nobody is signed in', async () => {
    const { tokens } = setUp(() => null);
    await expect(tokens.fresh()).rejects.toMatchObject({ live: { code: 'SIGNED_OUT' } });
  });

  it('tells a developer who gives seconds', async () => {
    const { tokens } = setUp((_, now) => ({ token: 'x', expiresAt: now / 1000 }));
    await expect(tokens.fresh()).rejects.toThrow('milliseconds');
  });

  it('leaves nothing running once it is closed', async () => {
    const { clock, tokens } = setUp(forAnHour);
    await tokens.fresh();
    tokens.close();
    await settled();
    expect(clock.pending).toBe(0);
  });
});
