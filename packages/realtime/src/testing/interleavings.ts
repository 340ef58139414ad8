import type { Notification } from '@homeroom/api/contract';
import { orderOf } from '../notifications/order.ts';
import type { ModelServer } from './model-server.ts';
import {
  NETWORK_HAPPENINGS,
  OFTEN_ON_THE_NETWORK,
  storiesOf,
  type NetworkStage,
} from './network-happenings.ts';

const TYPES: readonly Notification['type'][] = ['enrollment', 'message', 'payment'];

/** One thing that happens; `n` picks which of the things it could happen to. */
export type Happening = { what: keyof typeof HAPPENINGS; n: number };

/** What a happening may touch. */
export type Stage = NetworkStage & {
  server: ModelServer;
  /** A moment so many ms from now, ISO. */
  momentIn(ms: number): string;
  /** Someone at the screen does something. */
  act(action: Action, n: number): void;
};

/** What someone at the screen can do. */
export type Action =
  | ('read' | 'unread' | 'read all' | 'remove' | 'more' | 'refresh')
  | ('archive' | 'unarchive' | 'snooze' | 'unsnooze');

const pick = <T>(from: readonly T[], n: number): T | undefined => from[n % (from.length || 1)];

/** Runs `change` on one of the server's rows. */
const onRow = ({ server }: Stage, n: number, change: (id: string) => void) => {
  const id = pick(server.ids, n);
  if (id !== undefined) change(id);
};

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
    if (through) server.markAllAsRead(orderOf('inbox').placeOf(through));
  },
  'archived elsewhere': (stage, n) => onRow(stage, n, (id) => stage.server.setArchived(id, true)),
  'unarchived elsewhere': (stage, n) =>
    onRow(stage, n, (id) => stage.server.setArchived(id, false)),
  'snoozed elsewhere': (stage, n) =>
    onRow(stage, n, (id) => stage.server.setSnoozed(id, stage.momentIn(n * 1_000))),
  'came back': ({ server }) => server.wake(),
  'topic moved': ({ server }, n) => server.move(n * 40),
  'events expired': ({ server }, n) => server.forgetAllBut(n % 4),

  ...NETWORK_HAPPENINGS,

  reads: ({ act }, n) => act('read', n),
  unreads: ({ act }, n) => act('unread', n),
  'reads all': ({ act }, n) => act('read all', n),
  removes: ({ act }, n) => act('remove', n),
  archives: ({ act }, n) => act('archive', n),
  unarchives: ({ act }, n) => act('unarchive', n),
  snoozes: ({ act }, n) => act('snooze', n),
  unsnoozes: ({ act }, n) => act('unsnooze', n),
  'scrolls down': ({ act }, n) => act('more', n),
  refreshes: ({ act }, n) => act('refresh', n),
} satisfies Record<string, (stage: Stage, n: number) => void | Promise<void>>;

/** Any order of any happenings. */
export const interleavings = storiesOf(Object.keys(HAPPENINGS) as Happening['what'][], {
  ...OFTEN_ON_THE_NETWORK,
  created: 8,
  merged: 3,
  'read elsewhere': 3,
});

/** Makes it happen. */
export async function happen({ what, n }: Happening, stage: Stage): Promise<void> {
  await HAPPENINGS[what](stage, n);
}
