import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { NotificationFilters } from '../connection/api.ts';
import type { Connection, ConnectionState } from '../connection/connection.ts';
import { liveQuery } from '../live-query/live-query.ts';
import { settled } from '../testing/fake-clock.ts';
import { happen, interleavings, type Stage } from '../testing/interleavings.ts';
import type { ModelServer } from '../testing/model-server.ts';
import { modelStage } from '../testing/stage.ts';
import { notifications, type NotificationsState, type NotificationsStore } from './store.ts';

/** Long enough for every retry, and too short for an audit, in ms of the fake clock. */
const UNTIL_ALL_IS_DONE_MS = 60_000;
/** Long enough for one: nothing else shows that the word of a move to another channel was lost. */
const UNTIL_AN_AUDIT_MS = 240_000;
const LIMIT = 3;

const START = Date.UTC(2025, 0, 6, 9);
const FILTERS: readonly NotificationFilters[] = [
  {},
  { read: false },
  { read: true },
  { type: 'message' },
  { box: 'snoozed' },
  { box: 'archived', read: false },
  { from: new Date(START - 1_800_000).toISOString(), to: new Date(START + 9_000).toISOString() },
];

/** A store, and what it last showed. */
type Watched = {
  filters: NotificationFilters;
  store: NotificationsStore;
  state: NotificationsState | undefined;
  stop: (() => void) | undefined;
};

function show(watched: Watched): void {
  watched.stop = watched.store.subscribe((state) => {
    watched.state = state;
  });
}

function setUp() {
  const { connection, server, ...rest } = modelStage({ now: START });
  const all = FILTERS.map((filters): Watched => {
    const store = notifications(connection, filters, { limit: LIMIT });
    return { filters, store, state: undefined, stop: undefined };
  });
  const log = watchNumbers(connection, server);
  all.forEach(show);
  return { ...rest, server, connection, all, log };
}

/** A live query whose data is the numbers that it has been told, one by one. */
function watchNumbers(connection: Connection, server: ModelServer) {
  const told: { seq: number } = { seq: 0 };
  const query = liveQuery<number>({
    connection,
    topic: server.topic,
    load: async () => {
      const { cursor } = await connection.api.notifications.list.query({ limit: 1 });
      return { data: cursor.seq, cursor };
    },
    apply(seq, event) {
      expect(event.seq, 'each event once, and none left out').toBe(seq + 1);
      return event.seq;
    },
  });
  query.subscribe(({ data }) => {
    told.seq = data ?? 0;
  });
  return told;
}

function stageOf({ clock, page, network, server, all }: ReturnType<typeof setUp>): Stage {
  const momentIn = (ms: number) => new Date(clock.now() + ms).toISOString();
  return {
    server,
    network,
    momentIn,
    advance: (ms) => clock.advance(ms),
    sleep: (ms) => clock.jump(ms),
    signal: (signal) => page.send(signal),
    act(action, n) {
      const { store, state } = all[n % all.length] as Watched;
      const id = state?.list[n % (state.list.length || 1)]?.id ?? 'nothing';
      if (action === 'read') void store.markAsRead(id);
      if (action === 'unread') void store.markAsUnread(id);
      if (action === 'read all') void store.markAllAsRead();
      if (action === 'remove') void store.remove(id);
      if (action === 'archive') void store.archive(id);
      if (action === 'unarchive') void store.unarchive(id);
      if (action === 'snooze') void store.snooze(id, momentIn(n * 1_000));
      if (action === 'unsnooze') void store.unsnooze(id);
      if (action === 'more') void store.loadMore();
      if (action === 'refresh') void store.refresh();
    },
    toggle(n) {
      const watched = all[n % all.length] as Watched;
      if (!watched.stop) return show(watched);
      watched.stop();
      watched.stop = undefined;
    },
  };
}

function expectToMatch(watched: Watched, server: ModelServer): void {
  const { state, filters } = watched;
  const expected = server.list(filters);
  const shown = state?.hasMore ? expected.slice(0, state.list.length) : expected;
  expect(state?.list).toEqual(shown);
  expect(state?.unreadCount).toBe(server.unreadCount);
  expect(state).toMatchObject({ status: 'live', loading: false, loadingMore: false });
  if (!state?.hasMore) expect(state?.list.length).toBe(expected.length);
}

it("ends every store equal to the server's state, whatever the network does", async () => {
  await fc.assert(
    fc.asyncProperty(interleavings, async (happenings) => {
      const world = setUp();
      const stage = stageOf(world);
      for (const happening of happenings) {
        await happen(happening, stage);
        await settled();
      }

      const { page, network, clock, all, server, connection, log } = world;
      if (!page.isVisible()) page.send('shown');
      if (!page.isOnline()) page.send('online');
      network.heal();
      for (const watched of all) if (!watched.stop) show(watched);
      await settled();
      server.create('system'); // shows what was lost before it
      await clock.advance(network.movesLost > 0 ? UNTIL_AN_AUDIT_MS : UNTIL_ALL_IS_DONE_MS);

      for (const watched of all) expectToMatch(watched, server);
      expect(log.seq).toBe(server.head);
      let shown: ConnectionState | undefined;
      connection.subscribe((state) => (shown = state))();
      expect(shown?.status).toBe('live');
      connection.close();
    }),
    { numRuns: Number(process.env.INTERLEAVINGS ?? 300) },
  );
}, 120_000);
