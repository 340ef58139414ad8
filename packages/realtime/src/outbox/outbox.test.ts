import { describe, expect, it } from 'vitest';
import { FakeClock, settled } from '../testing/fake-clock.ts';
import { memory } from './key-value.ts';
import { Outbox, type Outgoing } from './outbox.ts';

/** An error as a tRPC client throws it. */
function refusal(httpStatus: number, appCode: string, retryAfterSeconds?: number): Error {
  return Object.assign(new Error(appCode), { data: { httpStatus, appCode, retryAfterSeconds } });
}

/** An outbox, and a server that takes each id once; `answers` is what it does next. */
function post({ storage = memory(), clock = new FakeClock() } = {}) {
  const answers: (Error | 'lost' | 'yes')[] = [];
  const taken = new Map<string, string>();
  const outbox = new Outbox<string, number>({
    name: 'test',
    storage,
    clock,
    deliver({ id, payload }: Outgoing<string>) {
      const answer = answers.shift() ?? 'yes';
      if (answer instanceof Error) return Promise.reject(answer);
      if (!taken.has(id)) taken.set(id, payload);
      if (answer === 'lost') return Promise.reject(new TypeError('fetch failed'));
      return Promise.resolve(taken.size);
    },
  });
  const states = () => outbox.entries.map(({ id, state }) => `${id} ${state}`);
  return { outbox, storage, clock, answers, taken, states };
}

const OFFLINE = new TypeError('fetch failed');

describe('an outbox', () => {
  it('delivers in order, and keeps what is delivered until nobody needs it', async () => {
    const { outbox, taken, states } = post();
    outbox.add('a', 'one');
    outbox.add('b', 'two');
    expect(states()).toEqual(['a sending', 'b queued']);
    await settled();
    expect([...taken.values()]).toEqual(['one', 'two']);
    expect(states()).toEqual(['a delivered', 'b delivered']);
    expect(outbox.forget('a')).toBe('one');
    expect(states()).toEqual(['b delivered']);
  });

  it('tries again until it is taken, once, also when the answer was lost', async () => {
    const { outbox, answers, clock, taken, states } = post();
    answers.push(OFFLINE, 'lost', OFFLINE);
    outbox.add('a', 'one');
    outbox.add('b', 'two');
    await settled();
    expect(states()).toEqual(['a waiting', 'b queued']);
    await clock.advance(60_000);
    expect(states()).toEqual(['a delivered', 'b delivered']);
    expect([...taken]).toEqual([
      ['a', 'one'],
      ['b', 'two'],
    ]);
  });

  it('tries at once when it is told that the network is back', async () => {
    const { outbox, answers, states } = post();
    answers.push(OFFLINE);
    outbox.add('a', 'one');
    await settled();
    outbox.wake();
    await settled();
    expect(states()).toEqual(['a delivered']);
  });

  it('waits as long as the server asks', async () => {
    const { outbox, answers, clock, states } = post();
    answers.push(refusal(429, 'SLOW_MODE', 30));
    outbox.add('a', 'one');
    await clock.advance(29_000);
    expect(states()).toEqual(['a waiting']);
    await clock.advance(2_000);
    expect(states()).toEqual(['a delivered']);
  });

  it('says what was refused and goes on with the next; the person tries again or gives up', async () => {
    const { outbox, answers, states } = post();
    answers.push(refusal(403, 'THREAD_LOCKED'), 'yes', refusal(403, 'THREAD_LOCKED'));
    outbox.add('a', 'one');
    outbox.add('b', 'two');
    await settled();
    expect(states()).toEqual(['a refused', 'b delivered']);
    expect(outbox.entries[0]?.error?.code).toBe('THREAD_LOCKED');
    outbox.retry('a');
    await settled();
    expect(states()).toEqual(['a refused', 'b delivered']);
    expect(outbox.forget('a')).toBe('one');
  });

  it('outlives the page: what was not delivered is there again, what was is not', async () => {
    const { outbox, answers, storage, clock } = post();
    outbox.add('a', 'one');
    await settled();
    answers.push(OFFLINE);
    outbox.add('b', 'two');
    await settled();
    storage.set('test.c', 'not ours');
    const later = post({ storage, clock });
    expect(later.states()).toEqual(['b queued']);
    later.outbox.wake();
    await settled();
    expect([...later.taken]).toEqual([['b', 'two']]);
    expect(post({ storage, clock }).states()).toEqual([]);
  });
});
