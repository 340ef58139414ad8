import { describe, expect, it } from 'vitest';
import { settled } from '../testing/fake-clock.ts';
import { healthyStage, modelStage, watch } from '../testing/stage.ts';
import { notifications } from './store.ts';

const titles = ({ list }: { list: readonly { title: string }[] }) => list.map(({ title }) => title);

describe('the notifications', () => {
  it('show what comes in, newest first, with the unread count', async () => {
    const { server, connection } = await healthyStage();
    server.create('message');
    const shown = watch(notifications(connection));
    expect(shown.now).toMatchObject({ loading: true, list: [], unreadCount: 0 });
    await settled();
    server.create('payment');
    expect(titles(shown.now)).toEqual(['Number 2', 'Number 1']);
    expect(shown.now).toMatchObject({ loading: false, unreadCount: 2, status: 'live' });
  });

  it('are there at once from the server-rendered page, and live from its cursor on', async () => {
    const { server, connection, network, clock } = modelStage();
    server.create('message');
    network.heal();
    const initial = await connection.api.notifications.list.query({});
    server.create('payment');
    const loads = network.callsSent;
    const shown = watch(notifications(connection, {}, { initial }));
    expect(shown.past[0]).toMatchObject({ loading: false, unreadCount: 1 });
    await clock.advance(100);
    expect(titles(shown.now)).toEqual(['Number 2', 'Number 1']);
    expect(network.callsSent - loads, 'one question, no second snapshot').toBe(1);
  });

  it('show only what the filters let through, also after a change', async () => {
    const { server, connection } = await healthyStage();
    const shown = watch(notifications(connection, { read: false }));
    await settled();
    server.create('message');
    server.create('payment');
    const [newest] = shown.now.list;
    server.setRead(newest?.id ?? '', true);
    expect(titles(shown.now)).toEqual(['Number 1']);
    expect(shown.now.unreadCount).toBe(1);
  });

  it('reach further down on demand', async () => {
    const { server, connection } = await healthyStage();
    for (let made = 0; made < 5; made += 1) server.create('message');
    const store = notifications(connection, {}, { limit: 2 });
    const shown = watch(store);
    await settled();
    expect(shown.now).toMatchObject({ hasMore: true, loadingMore: false });
    const more = store.loadMore();
    expect(shown.now.loadingMore).toBe(true);
    expect(await more).toBe(true);
    expect(await store.loadMore()).toBe(true);
    expect(shown.now.list).toHaveLength(5);
    expect(shown.now).toMatchObject({ hasMore: false, loadingMore: false });
    expect(await store.loadMore()).toBe(false);
  });

  it('are marked as read at once, and counted once', async () => {
    const { server, connection, network, clock } = await healthyStage();
    server.create('message');
    const store = notifications(connection);
    const shown = watch(store);
    await settled();
    network.fallIll();
    const done = store.markAsRead(shown.now.list[0]?.id ?? '');
    expect(shown.now.unreadCount).toBe(0);
    expect(shown.now.list[0]?.readAt).not.toBeNull();
    network.heal();
    expect(await done).toBe(true);
    await clock.advance(5_000);
    expect(shown.now.unreadCount).toBe(0);
    expect(shown.past.every(({ unreadCount }) => unreadCount >= 0)).toBe(true);
  });

  it('are as they were, with a kind word, when a change fails', async () => {
    const { server, connection, network } = await healthyStage();
    server.create('message');
    const store = notifications(connection);
    const shown = watch(store);
    await settled();
    network.fallIll();
    const done = store.remove(shown.now.list[0]?.id ?? '');
    expect(shown.now).toMatchObject({ list: [], unreadCount: 0 });
    network.failCall(0);
    expect(await done).toBe(false);
    expect(shown.now).toMatchObject({ unreadCount: 1, error: { code: 'UNREACHABLE' } });
    expect(titles(shown.now)).toEqual(['Number 1']);
  });

  it('leave the inbox at once when they are put away, and come back on top when their time has come', async () => {
    const { server, connection, clock } = await healthyStage();
    for (let made = 0; made < 3; made += 1) server.create('message');
    const store = notifications(connection);
    const [inbox, snoozed] = [watch(store), watch(notifications(connection, { box: 'snoozed' }))];
    await settled();
    const [, second, oldest] = inbox.now.list;
    const done = store.archive(second?.id ?? '');
    expect(titles(inbox.now)).toEqual(['Number 3', 'Number 1']);
    expect(inbox.now.unreadCount).toBe(2);
    expect(await done).toBe(true);
    const until = new Date(clock.now() + 60_000).toISOString();
    expect(await store.snooze(oldest?.id ?? '', until)).toBe(true);
    expect(titles(inbox.now)).toEqual(['Number 3']);
    expect(titles(snoozed.now)).toEqual(['Number 1']);
    await clock.advance(60_000);
    server.wake();
    expect(titles(inbox.now)).toEqual(['Number 1', 'Number 3']);
    expect(inbox.now).toMatchObject({ unreadCount: 2 });
    expect(snoozed.now).toMatchObject({ list: [], unreadCount: 2 });
    expect(await store.unarchive(second?.id ?? '')).toBe(true);
    await clock.advance(1_000);
    expect(titles(inbox.now)).toEqual(['Number 1', 'Number 3', 'Number 2']);
  });

  it('marks all as read up to the newest shown; what comes meanwhile stays unread', async () => {
    const { server, connection, network, clock } = await healthyStage();
    for (let made = 0; made < 3; made += 1) server.create('message');
    const store = notifications(connection, {}, { limit: 2 });
    const shown = watch(store);
    await settled();
    network.fallIll();
    const done = store.markAllAsRead();
    expect(shown.now.unreadCount).toBe(0);
    server.create('payment');
    network.heal();
    expect(await done).toBe(true);
    await clock.advance(2_000);
    expect(shown.now.unreadCount).toBe(1);
    expect(shown.now.list.map(({ readAt }) => readAt === null)).toEqual([true, false, false]);
  });
});
