import fc from 'fast-check';
import type { ModelNetwork } from './model-network.ts';

/** What happens to a tab whatever it shows. */
export type NetworkStage = {
  network: ModelNetwork;
  /** Lets `ms` go by. */
  advance(ms: number): Promise<void>;
  /** Time goes by, and no timer has run. */
  sleep(ms: number): void;
  signal(signal: 'hidden' | 'shown' | 'online' | 'offline' | 'woke'): void;
  /** A store loses its subscriber, or gets one again. */
  toggle(n: number): void;
};

/** All that can happen to the network and to the page, by name. */
export const NETWORK_HAPPENINGS = {
  'socket opened': ({ network }) => network.openSocket(),
  'socket cut': ({ network }) => network.cutSocket(),
  'join accepted': ({ network }, n) => network.acceptJoin(n),
  'channel ended': ({ network }, n) => network.endChannel(n),
  delivered: ({ network }, n) => network.deliver(n % 6),
  dropped: ({ network }, n) => network.dropFrame(n),
  repeated: ({ network }, n) => network.repeatFrame(n),
  reordered: ({ network }, n) => network.delayFrame(n),
  'call done': ({ network }, n) => network.performCall(n),
  'call answered': ({ network }, n) => network.answerCall(n),
  'oldest call answered': ({ network }) => network.answerCall(0),
  'everything answered': ({ network }) => network.answerAll(),
  'call failed': ({ network }, n) => network.failCall(n),

  'time went by': ({ advance }, n) => advance(n * 150),
  'long time went by': ({ advance }, n) => advance(n * 2_000),
  hidden: ({ signal }) => signal('hidden'),
  shown: ({ signal }) => signal('shown'),
  'network gone': ({ signal }) => signal('offline'),
  'network back': ({ signal }) => signal('online'),
  slept: ({ sleep, signal }, n) => {
    sleep(n * 60_000);
    signal('woke');
  },
  'leaves or returns': ({ toggle }, n) => toggle(n),
} satisfies Record<string, (stage: NetworkStage, n: number) => void | Promise<void>>;

/** What happens more often than the rest, so that most stories get somewhere. */
export const OFTEN_ON_THE_NETWORK: Partial<Record<keyof typeof NETWORK_HAPPENINGS, number>> = {
  'socket opened': 3,
  'join accepted': 4,
  delivered: 12,
  dropped: 3,
  'oldest call answered': 8,
  'everything answered': 4,
  'time went by': 6,
};

/** Any order of any of the happenings named; `often` says which have more weight than 1. */
export function storiesOf<Name extends string>(
  names: readonly Name[],
  often: Partial<Record<string, number>>,
): fc.Arbitrary<{ what: Name; n: number }[]> {
  return fc.array(
    fc.record({
      what: fc.oneof(
        ...names.map((what) => ({ weight: often[what] ?? 1, arbitrary: fc.constant(what) })),
      ),
      n: fc.nat(60),
    }),
    { maxLength: 300, size: 'max' },
  );
}
