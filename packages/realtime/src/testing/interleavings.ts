import type { Notification } from '@homeroom/api/contract';
import fc from 'fast-check';
import type { ModelNetwork } from './model-network.ts';
import type { ModelServer } from './model-server.ts';

const TYPES: readonly Notification['type'][] = ['enrollment', 'message', 'payment'];

/** One thing that happens; `n` picks which of the things it could happen to. */
export type Happening = { what: keyof typeof HAPPENINGS; n: number };

/** What a happening to network and page may touch. */
export type NetworkStage = {
  network: ModelNetwork;
  /** Lets `ms` go by. */
  advance(ms: number): Promise<void>;
  /** Time goes by, and no timer has run. */
  sleep(ms: number): void;
  signal(signal: 'hidden' | 'shown' | 'online' | 'offline' | 'woke'): void;
};

/** What a happening may touch. */
export type Stage = NetworkStage & {
  server: ModelServer;
  /** Someone at the screen does something. */
  act(action: 'read' | 'unread' | 'read all' | 'remove' | 'more' | 'refresh', n: number): void;
  /** A store loses its subscriber, or gets one again. */
  toggle(n: number): void;
};

const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % (from.length || 1)];

/** Runs `change` on one of the server's rows. */
const onRow = ({ server }: Stage, n: number, change: (id: string) => void) => {
  const id = pick(server.ids, n);
  if (id !== undefined) change(id);
};

/** What can happen to the network and the page, by name. */
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
} satisfies Record<string, (stage: NetworkStage, n: number) => void | Promise<void>>;

/** All that can happen, by name: to the data, to the network, to the page, and by the person. */
const HAPPENINGS = {
  created: ({ server }, n) => server.create(pick(TYPES, n) ?? 'system'),
  'created late': ({ server }, n) => server.create('message', n),
  merged: (stage, n) => onRow(stage, n, (id) => stage.server.merge(id)),
  'read elsewhere': (stage, n) => onRow(stage, n, (id) => stage.server.setRead(id, true)),
  'unread elsewhere': (stage, n) => onRow(stage, n, (id) => stage.server.setRead(id, false)),
  'removed elsewhere': (stage, n) => onRow(stage, n, (id) => stage.server.remove(id)),
  'all read elsewhere': ({ server }, n) => {
    const through = pick(server.list({}), n);
    if (through) server.markAllAsRead({ createdAt: through.createdAt, id: through.id });
  },
  'topic moved': ({ server }, n) => server.move(n * 40),
  'events expired': ({ server }, n) => server.forgetAllBut(n % 4),

  ...NETWORK_HAPPENINGS,

  reads: ({ act }, n) => act('read', n),
  unreads: ({ act }, n) => act('unread', n),
  'reads all': ({ act }, n) => act('read all', n),
  removes: ({ act }, n) => act('remove', n),
  'scrolls down': ({ act }, n) => act('more', n),
  refreshes: ({ act }, n) => act('refresh', n),
  'leaves or returns': ({ toggle }, n) => toggle(n),
} satisfies Record<string, (stage: Stage, n: number) => void | Promise<void>>;

/** What happens to the network more often than the rest, so that most stories get somewhere. */
export const NETWORK_OFTEN: Partial<Record<keyof typeof NETWORK_HAPPENINGS, number>> = {
  'socket opened': 3,
  'join accepted': 4,
  delivered: 12,
  dropped: 3,
  'oldest call answered': 8,
  'everything answered': 4,
  'time went by': 6,
};

const OFTEN: Partial<Record<Happening['what'], number>> = {
  ...NETWORK_OFTEN,
  created: 8,
  merged: 3,
  'read elsewhere': 3,
};

/** Any order of any of these happenings, some more often than others; `n` picks what it happens to. */
export function storiesOf<Name extends string>(
  names: readonly Name[],
  often: Partial<Record<Name, number>>,
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

/** Any order of any happenings. */
export const interleavings: fc.Arbitrary<Happening[]> = storiesOf(
  Object.keys(HAPPENINGS) as Happening['what'][],
  OFTEN,
);

/** Makes it happen. */
export async function happen({ what, n }: Happening, stage: Stage): Promise<void> {
  await HAPPENINGS[what](stage, n);
}
