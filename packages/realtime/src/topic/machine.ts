import type { ChannelEnd } from './transport.ts';

/** Where a topic's channel is. */
export type TopicStatus =
  | 'idle' // nobody follows it
  | 'blocked' // followed, but there is no socket to join on
  | 'joining' // a token is being fetched and the join sent; no answer yet
  | 'joined' // events flow
  | 'moving' // its events go to another channel; the join there is scheduled, or sent
  | 'waiting' // a passing fault; the next attempt is scheduled
  | 'refused'; // the server said no for good; nothing is scheduled

/** What can happen to it. */
export type TopicEvent =
  | { type: 'followed' } // somebody follows it, for the first time or again
  | { type: 'abandoned' } // the last follower has gone, and the linger is over
  | { type: 'socket-opened' } // joins are possible
  | { type: 'socket-lost' } // and now they aren't
  | { type: 'joined' } // the server said yes
  | { type: 'moved' } // its events go to another channel from now on
  | { type: 'ended'; end: ChannelEnd; wasSteady: boolean } // it said no, or the channel broke
  | { type: 'retry-due' }; // the wait is over

/** What has to be done, in this order, by whoever runs the machine. */
export type TopicEffect =
  | 'leave' // forget the channel, telling the server if it listens
  | 'cancel-retry' // the scheduled attempt isn't wanted any more
  | 'join' // send a join, on a new channel
  | 'schedule-move' // wait as those who told of the move say, then `retry-due`
  | 'schedule-retry'; // wait as `faults` says, then `retry-due`

/** All that a topic remembers about its channel. */
export type TopicState = {
  status: TopicStatus;
  socketOpen: boolean;
  /** Faults since the channel was last steady; sets the wait before the next attempt. */
  faults: number;
};

type Step = { state: TopicState; effects: readonly TopicEffect[] };

/** The whole behaviour of a channel's life, without clock or network. */
export function step(state: TopicState, event: TopicEvent): Step {
  const { status } = state;
  const to = (change: Partial<TopicState>, ...effects: TopicEffect[]): Step => ({
    state: { ...state, ...change },
    effects,
  });

  switch (event.type) {
    case 'followed':
      if (status !== 'idle' && status !== 'refused') return to({});
      return state.socketOpen
        ? to({ status: 'joining', faults: 0 }, 'join')
        : to({ status: 'blocked', faults: 0 });

    case 'abandoned':
      return to({ status: 'idle', faults: 0 }, 'leave', 'cancel-retry');

    case 'socket-opened':
      return status === 'blocked'
        ? to({ status: 'joining', socketOpen: true }, 'join')
        : to({ socketOpen: true });

    case 'socket-lost':
      return status === 'idle' || status === 'refused'
        ? to({ socketOpen: false })
        : to({ status: 'blocked', socketOpen: false }, 'leave', 'cancel-retry');

    case 'joined':
      return status === 'joining' || status === 'moving' ? to({ status: 'joined' }) : to({});

    case 'moved':
      return status === 'joining' || status === 'joined' || status === 'moving'
        ? to({ status: 'moving', faults: 0 }, 'leave', 'cancel-retry', 'schedule-move')
        : to({});

    case 'ended': {
      if (status !== 'joining' && status !== 'joined' && status !== 'moving') return to({});
      if (event.end.kind === 'refused') return to({ status: 'refused', faults: 0 }, 'leave');
      const faults = event.wasSteady ? 1 : state.faults + 1;
      return to({ status: 'waiting', faults }, 'leave', 'schedule-retry');
    }

    case 'retry-due':
      if (status === 'moving') return to({}, 'join');
      if (status !== 'waiting') return to({});
      return state.socketOpen ? to({ status: 'joining' }, 'join') : to({ status: 'blocked' });
  }
}
