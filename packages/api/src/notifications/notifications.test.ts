import { schema } from '@homeroom/db';
import { expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import {
  listOutput,
  NOTIFICATION_BOXES,
  NOTIFICATION_CHANNELS,
  NOTIFICATION_LEVELS,
  NOTIFICATION_TYPES,
} from './contract.ts';

const NOBODYS_ID = '00000000-0000-4000-8000-000000000000';

it('knows the same types and levels as the database', () => {
  expect(NOTIFICATION_BOXES).toEqual(schema.notifications.box.enumValues);
  expect(NOTIFICATION_TYPES).toEqual(schema.notifications.type.enumValues);
  expect(NOTIFICATION_LEVELS).toEqual(schema.notifications.level.enumValues);
  expect(NOTIFICATION_CHANNELS).toEqual(schema.notificationPreferences.channel.enumValues);
});

it('lists the newest first, page after page, each once', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const ids = [];
  for (const minutesAgo of [50, 40, 30, 20, 10])
    ids.unshift(await room.notify(ann, { minutesAgo }));
  const client = await room.as(ann);

  const seen: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await client.notifications.list.query({ limit: 2, cursor: cursor ?? undefined });
    expect(listOutput.safeParse(page).error).toBeUndefined();
    expect(page.data.unreadCount).toBe(5);
    seen.push(...page.data.items.map((item) => item.id));
    cursor = page.data.nextCursor;
  } while (cursor);
  expect(seen).toEqual(ids);
});

it('goes on where it was, whatever comes and goes meanwhile', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const ids = [];
  for (const minutesAgo of [40, 30, 20, 10]) ids.unshift(await room.notify(ann, { minutesAgo }));
  const { notifications } = await room.as(ann);
  const first = (await notifications.list.query({ limit: 2 })).data;
  await room.notify(ann, { minutesAgo: 0 });
  await notifications.remove.mutate({ id: ids[0] ?? '' });
  const second = (await notifications.list.query({ limit: 2, cursor: first.nextCursor ?? '' }))
    .data;
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
});

it('keeps the order and loses nothing when many have the same moment', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  await room.db.sql`
    insert into public.notifications (user_id, type, title, message, created_at)
    select ${ann.id}, 'system', 'Number ' || number, 'x', '2026-11-20 12:00:00.123456+00'
    from generate_series(1, 7) as number`;
  const client = await room.as(ann);
  const first = await client.notifications.list.query({ limit: 4 });
  const second = await client.notifications.list.query({
    limit: 4,
    cursor: first.data.nextCursor ?? undefined,
  });
  const ids = [...first.data.items, ...second.data.items].map((item) => item.id);
  expect(new Set(ids).size).toBe(7);
  expect(ids).toEqual(ids.toSorted().reverse());
  expect(second.data.nextCursor).toBeNull();
  expect(first.data.items[0]?.createdAt).toBe('2026-11-20T12:00:00.123456Z');
});

it('filters by type, by read and by time, and still counts all that are unread', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  await room.notify(ann, { type: 'review', minutesAgo: 60 });
  await room.notify(ann, { type: 'review', minutesAgo: 5, read: true });
  await room.notify(ann, { type: 'payment', minutesAgo: 1 });
  const { notifications } = await room.as(ann);
  const halfAnHourAgo = new Date(Date.now() - 1_800_000).toISOString();

  const found = async (filter: Parameters<typeof notifications.list.query>[0]) => {
    const { data } = await notifications.list.query(filter);
    expect(data.unreadCount).toBe(2);
    return data.items.map((item) => item.type);
  };
  expect(await found({ type: 'review' })).toEqual(['review', 'review']);
  expect(await found({ read: true })).toEqual(['review']);
  expect(await found({ read: false })).toEqual(['payment', 'review']);
  expect(await found({ from: halfAnHourAgo })).toEqual(['payment', 'review']);
  expect(await found({ to: halfAnHourAgo, type: 'payment' })).toEqual([]);
});

it('counts, reads, unreads and removes', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const id = await room.notify(ann);
  const { notifications } = await room.as(ann);
  const unread = async () => (await notifications.unreadCount.query()).data.unreadCount;

  expect(await unread()).toBe(1);
  const read = await notifications.markAsRead.mutate({ id });
  expect(read.notification).toMatchObject({ id, readAt: expect.any(String) as string });
  expect(await unread()).toBe(0);
  const again = await notifications.markAsRead.mutate({ id });
  expect(again.notification.readAt).toBe(read.notification.readAt);
  const unreadAgain = await notifications.markAsUnread.mutate({ id });
  expect(unreadAgain.notification.readAt).toBeNull();
  expect(await notifications.remove.mutate({ id })).toEqual({ id });
  expect(await unread()).toBe(0);
  expect(await refusal(notifications.remove.mutate({ id }))).toMatchObject({ httpStatus: 404 });
});

it('archives and snoozes: each box shows its own, and only the inbox counts', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const [kept, archived, later, sooner] = [
    await room.notify(ann, { minutesAgo: 40 }),
    await room.notify(ann, { minutesAgo: 30 }),
    await room.notify(ann, { minutesAgo: 20 }),
    await room.notify(ann, { minutesAgo: 10 }),
  ];
  const { notifications } = await room.as(ann);
  const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const idsIn = async (box: 'inbox' | 'snoozed' | 'archived') => {
    const ids = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await notifications.list.query({ box, limit: 1, cursor });
      expect(listOutput.safeParse(page).error).toBeUndefined();
      ids.push(...page.data.items.map(({ id }) => id));
      cursor = page.data.nextCursor;
    }
    return ids;
  };

  const put = await notifications.archive.mutate({ id: archived });
  expect(put.notification.archivedAt).not.toBeNull();
  expect(await notifications.archive.mutate({ id: archived })).toEqual(put);
  await notifications.snooze.mutate({ id: later, until: inHours(2) });
  await notifications.snooze.mutate({ id: sooner, until: inHours(1) });
  expect(await idsIn('inbox')).toEqual([kept]);
  expect(await idsIn('snoozed')).toEqual([sooner, later]);
  expect(await idsIn('archived')).toEqual([archived]);
  expect((await notifications.unreadCount.query()).data.unreadCount).toBe(1);
  expect((await notifications.page.query({})).total).toBe(1);

  await notifications.archive.mutate({ id: later });
  await notifications.snooze.mutate({ id: archived, until: inHours(3) });
  await notifications.unsnooze.mutate({ id: sooner });
  await notifications.unarchive.mutate({ id: later });
  expect(await idsIn('inbox')).toEqual([sooner, later, kept]);
  expect(await idsIn('snoozed')).toEqual([archived]);
  for (const hours of [-1, 24 * 400]) {
    const refused = await refusal(notifications.snooze.mutate({ id: kept, until: inHours(hours) }));
    expect(refused).toMatchObject({ httpStatus: 400, appCode: 'SNOOZE_OUT_OF_RANGE' });
  }
});

it('marks all as read up to the newest that was seen, and leaves what came later', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  await room.notify(ann, { type: 'review', minutesAgo: 20 });
  await room.notify(ann, { type: 'payment', minutesAgo: 10 });
  const { notifications } = await room.as(ann);
  const [newest] = (await notifications.list.query({})).data.items;
  const later = await room.notify(ann, { type: 'certificate' });

  const through = { createdAt: newest?.createdAt ?? '', id: newest?.id ?? '' };
  expect(await notifications.markAllAsRead.mutate({ through })).toEqual({ updatedCount: 2 });
  expect(await notifications.markAllAsRead.mutate({ through })).toEqual({ updatedCount: 0 });
  const unread = await notifications.list.query({ read: false });
  expect(unread.data.items.map((item) => item.id)).toEqual([later]);
});

it("never shows or changes another's, and never says that it exists", async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const bob = await room.db.a.student();
  const id = await room.notify(ann);
  const { notifications } = await room.as(bob);

  expect((await notifications.list.query({})).data).toMatchObject({ items: [], unreadCount: 0 });
  for (const change of [
    notifications.markAsRead,
    notifications.markAsUnread,
    notifications.archive,
    notifications.unarchive,
    notifications.snooze,
    notifications.unsnooze,
    notifications.remove,
  ]) {
    const until = new Date(Date.now() + 60_000).toISOString();
    const others = await refusal(change.mutate({ id, until }));
    const nobodys = await refusal(change.mutate({ id: NOBODYS_ID, until }));
    expect(others).toMatchObject({ httpStatus: 404, appCode: 'NOTIFICATION_NOT_FOUND' });
    expect(nobodys).toMatchObject({ httpStatus: 404, appCode: 'NOTIFICATION_NOT_FOUND' });
  }
  const now = { createdAt: new Date().toISOString(), id };
  await notifications.markAllAsRead.mutate({ through: now });
  const mine = await (await room.as(ann)).notifications.unreadCount.query();
  expect(mine.data.unreadCount).toBe(1);
});

it('refuses everything to nobody', async () => {
  await using room = await classroom();
  const { notifications } = await room.as(null);
  const id = NOBODYS_ID;
  const through = { createdAt: new Date().toISOString(), id };
  for (const call of [
    () => notifications.list.query({}),
    () => notifications.page.query({}),
    () => notifications.unreadCount.query(),
    () => notifications.markAsRead.mutate({ id }),
    () => notifications.markAsUnread.mutate({ id }),
    () => notifications.markAllAsRead.mutate({ through }),
    () => notifications.archive.mutate({ id }),
    () => notifications.unarchive.mutate({ id }),
    () => notifications.snooze.mutate({ id, until: through.createdAt }),
    () => notifications.unsnooze.mutate({ id }),
    () => notifications.remove.mutate({ id }),
    () => notifications.preferences.get.query(),
    () => notifications.preferences.set.mutate({ items: [{ type: 'review', enabled: false }] }),
  ]) {
    expect(await refusal(call())).toMatchObject({ httpStatus: 401, appCode: 'SESSION_REQUIRED' });
  }
});

it('names the field that is not valid, and the reason', async () => {
  await using room = await classroom();
  const { notifications } = await room.as(await room.db.a.student());
  const bad = [
    { input: { limit: 0 }, field: 'limit' },
    { input: { cursor: 'not-a-cursor' }, field: 'cursor' },
    { input: { type: 'gossip' as never }, field: 'type' },
    { input: { from: 'yesterday' }, field: 'from' },
    { input: { from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, field: 'to' },
  ];
  for (const { input, field } of bad) {
    const refused = await refusal(notifications.list.query(input));
    expect(refused).toMatchObject({ httpStatus: 400, appCode: 'INPUT_INVALID' });
    expect(refused.fields).toEqual([{ field, reason: expect.stringMatching(/\w+/) as string }]);
  }
});

it('keeps preferences per type and channel: in the portal unless refused, by mail if asked', async () => {
  await using room = await classroom();
  const { preferences } = (await room.as(await room.db.a.instructor())).notifications;
  const before = await preferences.get.query();
  expect(before.items).toHaveLength(NOTIFICATION_TYPES.length * 2);
  const mailed = before.items.filter(({ channel, enabled }) => channel === 'email' && enabled);
  expect(mailed.map(({ type }) => type)).toEqual(['subscription', 'announcement', 'workshop']);
  expect(before.items.every(({ channel, enabled }) => channel === 'email' || enabled)).toBe(true);

  const off = await preferences.set.mutate({ items: [{ type: 'review', enabled: false }] });
  expect(off.items.filter((item) => item.channel === 'app' && !item.enabled)).toEqual([
    { type: 'review', channel: 'app', courseId: null, enabled: false },
  ]);
  expect(await preferences.get.query()).toEqual(off);
  const back = [{ type: 'review' as const, enabled: null }];
  expect(await preferences.set.mutate({ items: back })).toEqual(before);

  const twice = [
    { type: 'review' as const, enabled: true },
    { type: 'review' as const, channel: 'app' as const, enabled: false },
  ];
  expect(await refusal(preferences.set.mutate({ items: twice }))).toMatchObject({
    httpStatus: 400,
    fields: [{ field: 'items', reason: 'Names a type twice' }],
  });
});

it('keeps preferences for courses that one takes part in, and for no others', async () => {
  await using room = await classroom();
  const [joined, other] = [await room.db.a.course(), await room.db.a.course()];
  const { preferences } = (await room.as(await room.db.a.student().enrolledIn(joined)))
    .notifications;
  const wish = (courseId: string, enabled: boolean | null) => ({
    items: [{ type: 'mention', channel: 'email', courseId, enabled } as const],
  });
  const { items } = await preferences.set.mutate(wish(joined.id, true));
  const own = { type: 'mention', channel: 'email', courseId: joined.id, enabled: true };
  expect(items.filter(({ courseId }) => courseId !== null)).toEqual([own]);
  expect(items.slice(0, -1).every(({ courseId }) => courseId === null)).toBe(true);
  expect(await refusal(preferences.set.mutate(wish(other.id, true)))).toMatchObject({
    httpStatus: 400,
    fields: [{ field: 'items.0.courseId', reason: 'Not a course that you take part in' }],
  });
  // What was said of a course that one has left can be taken back, as all can.
  await room.db.sql`update enrollments set status = 'cancelled'`;
  const after = await preferences.set.mutate(wish(joined.id, null));
  expect(after.items.filter(({ courseId }) => courseId !== null)).toEqual([]);
});
