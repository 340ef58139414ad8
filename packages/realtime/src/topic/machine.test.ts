import { describe, expect, it } from 'vitest';
import { step, type TopicEvent, type TopicState } from './machine.ts';

const passing = { kind: 'passing', reason: 'Too many messages per second' } as const;
const refused = {
  kind: 'refused',
  reason: 'Unauthorized',
  error: { code: 'TOPIC_FORBIDDEN', message: '', retryable: false },
} as const;

/** Runs events from the beginning; gives the last state and all effects. */
function live(...events: TopicEvent[]) {
  let state: TopicState = { status: 'idle', socketOpen: false, faults: 0 };
  const effects: string[] = [];
  for (const event of events) {
    const next = step(state, event);
    state = next.state;
    effects.push(...next.effects);
  }
  return { ...state, effects };
}

const joined: TopicEvent[] = [{ type: 'followed' }, { type: 'socket-opened' }, { type: 'joined' }];

describe('a topic', () => {
  it('joins only when it is followed and the socket is open', () => {
    expect(live({ type: 'followed' })).toMatchObject({ status: 'blocked', effects: [] });
    expect(live({ type: 'socket-opened' })).toMatchObject({ status: 'idle', effects: [] });
    expect(live(...joined)).toMatchObject({ status: 'joined', effects: ['join'] });
  });

  it('comes back on a new channel after a fault, later each time', () => {
    const ended: TopicEvent = { type: 'ended', end: passing, wasSteady: false };
    expect(live(...joined, ended)).toMatchObject({
      status: 'waiting',
      faults: 1,
      effects: ['join', 'leave', 'schedule-retry'],
    });
    const again = live(...joined, ended, { type: 'retry-due' }, ended);
    expect(again).toMatchObject({ status: 'waiting', faults: 2 });
    expect(again.effects.filter((effect) => effect === 'join')).toHaveLength(2);
  });

  it('counts faults anew after a steady time', () => {
    const quick: TopicEvent = { type: 'ended', end: passing, wasSteady: false };
    const steady: TopicEvent = { type: 'ended', end: passing, wasSteady: true };
    const events = [quick, { type: 'retry-due' }, quick, { type: 'retry-due' }] as const;
    expect(live(...joined, ...events, { type: 'joined' }, steady).faults).toBe(1);
  });

  it('stays refused, whatever the socket does, until somebody asks again', () => {
    const events: TopicEvent[] = [
      ...joined,
      { type: 'ended', end: refused, wasSteady: true },
      { type: 'socket-lost' },
      { type: 'socket-opened' },
      { type: 'retry-due' },
    ];
    expect(live(...events).status).toBe('refused');
    expect(live(...events, { type: 'followed' }).status).toBe('joining');
  });

  it('forgets its channel with the socket, and joins again with the next', () => {
    const lost = live(...joined, { type: 'socket-lost' });
    expect(lost).toMatchObject({ status: 'blocked', effects: ['join', 'leave', 'cancel-retry'] });
    const back = live(...joined, { type: 'socket-lost' }, { type: 'socket-opened' });
    expect(back.status).toBe('joining');
  });

  it('goes to another channel when its events do, in its own time, also when that is refused', () => {
    const moving = live(...joined, { type: 'moved' });
    expect(moving).toMatchObject({ status: 'moving' });
    expect(moving.effects).toEqual(['join', 'leave', 'cancel-retry', 'schedule-move']);
    const sent = live(...joined, { type: 'moved' }, { type: 'retry-due' });
    expect(sent).toMatchObject({ status: 'moving' });
    expect(sent.effects.at(-1)).toBe('join');
    const arrived = [...joined, { type: 'moved' }, { type: 'retry-due' }] as const;
    expect(live(...arrived, { type: 'joined' }).status).toBe('joined');
    expect(live(...arrived, { type: 'ended', end: refused, wasSteady: false }).status).toBe(
      'refused',
    );
    expect(live(...joined, { type: 'moved' }, { type: 'socket-lost' }).status).toBe('blocked');
  });

  it('ignores the answer to a join that nobody waits for', () => {
    const events: TopicEvent[] = [
      { type: 'followed' },
      { type: 'socket-opened' },
      { type: 'abandoned' },
      { type: 'joined' },
    ];
    expect(live(...events)).toMatchObject({
      status: 'idle',
      effects: ['join', 'leave', 'cancel-retry'],
    });
  });
});
