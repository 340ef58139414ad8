import fc from 'fast-check';
import { REACTIONS } from '@homeroom/api/kinds';
import { expect, it } from 'vitest';
import { connectionOver } from '../connection/connection.ts';
import { memory } from '../outbox/key-value.ts';
import { storageOf } from '../outbox/keep.ts';
import { FakeClock, settled } from '../testing/fake-clock.ts';
import { FakePage } from '../testing/fake-page.ts';
import {
  NETWORK_HAPPENINGS,
  OFTEN_ON_THE_NETWORK,
  storiesOf,
  type NetworkStage,
} from '../testing/network-happenings.ts';
import { ModelNetwork } from '../testing/model-network.ts';
import { ModelThread } from './model-thread.ts';
import {
  discussionThread,
  type DiscussionThreadState,
  type DiscussionThreadStore,
  type ThreadPlace,
} from './thread-store.ts';

/** Long enough for every retry, and too short for an audit, in ms of the fake clock. */
const UNTIL_ALL_IS_DONE_MS = 90_000;
const LIMIT = 3;
/** Nobody's store; what others write and change. */
const OTHERS = 'others';

/** A store, and what it last showed. */
type Watched = {
  store: DiscussionThreadStore;
  state: DiscussionThreadState | undefined;
  stop: (() => void) | undefined;
};

function show(watched: Watched): void {
  watched.stop = watched.store.subscribe((state) => {
    watched.state = state;
  });
}

/** Ada looks at a thread from its end, and at an early place of it. */
function setUp() {
  const clock = new FakeClock();
  const page = new FakePage();
  const network = new ModelNetwork();
  const server = new ModelThread('ada', network, clock);
  const { api } = server;
  const connection = connectionOver({ userId: 'ada', transport: network, page, clock, api });
  storageOf(connection, memory());
  for (let made = 1; made <= 8; made += 1) server.send(`early ${made}`, OTHERS, `Early ${made}`);
  const places: ThreadPlace[] = ['end', { around: 2 }];
  const all = places.map((place): Watched => {
    const store = discussionThread(connection, server.id, { limit: LIMIT, place });
    return { store, state: undefined, stop: undefined };
  });
  all.forEach(show);
  const written = new Set<string>();
  return { clock, page, network, server, connection, all, written };
}

type World = ReturnType<typeof setUp>;

const pick = <T>(from: readonly T[], n: number): T => from[n % from.length] as T;
const emojiOf = (n: number) => pick(REACTIONS.slice(0, 2), n);

const HAPPENINGS = {
  'others write': ({ world: { server } }, n) =>
    server.send(`id ${server.thread.lastNumber}`, OTHERS, `Text ${n}`),
  'others reply': ({ world: { server } }, n) =>
    server.send(`id ${server.thread.lastNumber}`, OTHERS, `Reply ${n}`, pick(server.ids, n)),
  'others react': ({ world: { server } }, n) =>
    server.react(pick(server.ids, n), emojiOf(n), OTHERS, n % 3 > 0),
  'a message is removed': ({ world: { server } }, n) => server.remove(pick(server.ids, n)),
  'the thread is locked or not': ({ world: { server } }, n) =>
    server.moderate({ isLocked: n % 2 === 0 }),
  'Ada reacts elsewhere': ({ world: { server } }, n) =>
    server.react(pick(server.ids, n), emojiOf(n), 'ada', n % 3 > 0),
  'Ada reads elsewhere': ({ world: { server } }, n) => server.markAsRead(n),
  'Ada unreads elsewhere': ({ world: { server } }, n) => server.markAsUnread(n),
  'events expired': ({ world: { server } }, n) => server.forgetAllBut(n % 4),

  'Ada writes': ({ world, store, state }, n) => {
    const parentId = n % 2 === 0 ? state?.messages[0]?.id : undefined;
    world.written.add(store.send(`By Ada ${n}`, { parentId }));
  },
  'Ada tries again': ({ store, state }, n) => {
    const id = state?.outgoing[n % (state.outgoing.length || 1)]?.id;
    if (id !== undefined) store.retry(id);
  },
  'Ada edits': ({ store, state }, n) => onMessage(state, n, (id) => store.edit(id, `Edited ${n}`)),
  'Ada removes': ({ store, state }, n) => onMessage(state, n, (id) => store.remove(id)),
  'Ada reacts': ({ store, state }, n) =>
    onMessage(state, n, (id) => store.react(id, emojiOf(n), n % 3 > 0)),
  'Ada reads': ({ store }, n) => void store.markAsRead(n),
  'Ada unreads': ({ store }, n) => void store.markAsUnread(n + 1),
  'Ada scrolls up': ({ store }) => void store.loadOlder(),
  'Ada scrolls down': ({ store }) => void store.loadNewer(),
  'Ada jumps': ({ store }, n) => void store.jumpTo(n % 4 === 0 ? 'end' : { around: n + 1 }),
} satisfies Record<string, (scene: Scene, n: number) => unknown>;

type Scene = {
  world: World;
  store: DiscussionThreadStore;
  state: DiscussionThreadState | undefined;
};
type Name = keyof typeof HAPPENINGS | keyof typeof NETWORK_HAPPENINGS;

function onMessage(
  state: DiscussionThreadState | undefined,
  n: number,
  act: (id: string) => Promise<boolean>,
): void {
  const message = state?.messages[n % (state.messages.length || 1)];
  if (message) void act(message.id);
}

const stories = storiesOf(
  [...Object.keys(HAPPENINGS), ...Object.keys(NETWORK_HAPPENINGS)] as Name[],
  { ...OFTEN_ON_THE_NETWORK, 'others write': 6, 'Ada writes': 4 },
);

async function happen(world: World, { what, n }: { what: Name; n: number }): Promise<void> {
  const { clock, page, network } = world;
  const stage: NetworkStage = {
    network,
    advance: (ms) => clock.advance(ms),
    sleep: (ms) => clock.jump(ms),
    signal: (signal) => page.send(signal),
    toggle(number) {
      const watched = pick(world.all, number);
      if (!watched.stop) return show(watched);
      watched.stop();
      watched.stop = undefined;
    },
  };
  if (what in NETWORK_HAPPENINGS) {
    await NETWORK_HAPPENINGS[what as keyof typeof NETWORK_HAPPENINGS](stage, n);
  } else {
    const { store, state } = pick(world.all, n);
    HAPPENINGS[what as keyof typeof HAPPENINGS]({ world, store, state }, n);
  }
  await settled();
}

/** Everything heals, and there is time for all that waits. */
async function calm({ page, network, all, clock, server }: World): Promise<void> {
  if (!page.isVisible()) page.send('shown');
  if (!page.isOnline()) page.send('online');
  server.moderate({ isLocked: false }); // shows what was lost before it
  server.markAsUnread(1);
  network.heal();
  for (const watched of all) if (!watched.stop) show(watched);
  await settled();
  server.send(`id ${server.thread.lastNumber}`, OTHERS, 'The last word');
  server.markAsRead(1);
  await clock.advance(UNTIL_ALL_IS_DONE_MS);
}

function expectToMatch({ state }: Watched, server: ModelThread): void {
  const first = state?.messages[0]?.number ?? 1;
  const expected = server.messages.slice(first - 1, first - 1 + (state?.messages.length ?? 0));
  expect(state?.messages).toEqual(expected);
  expect(state?.thread).toEqual(server.thread);
  expect(state?.reader).toEqual(server.reader);
  expect(state).toMatchObject({ status: 'live', loading: false, hasOlder: first > 1 });
  expect(state?.hasNewer).toBe(state?.messages.at(-1)?.number !== server.thread.lastNumber);
}

it('ends equal to the thread, with each message written once, whatever the network does', async () => {
  await fc.assert(
    fc.asyncProperty(stories, async (happenings) => {
      const world = setUp();
      for (const happening of happenings) await happen(world, happening);
      await calm(world);

      const { server, all, written, connection } = world;
      for (const watched of all) expectToMatch(watched, server);
      const refused = all[0]?.state?.outgoing ?? [];
      expect(refused.every(({ state }) => state === 'refused')).toBe(true);
      const lost = [...written].filter(
        (id) => !server.ids.includes(id) && !refused.some((entry) => entry.id === id),
      );
      expect(lost, 'what Ada wrote is there, or she is told that it is not').toEqual([]);
      expect(new Set(server.ids).size).toBe(server.ids.length);
      connection.close();
    }),
    { numRuns: Number(process.env.INTERLEAVINGS ?? 200) },
  );
}, 120_000);
