import type { Sql } from 'postgres';
import { describe, expect, it } from 'vitest';
import { testDatabase, type BuiltUser, type TestDatabase } from '../testing/index.ts';

type Row = { box: string; isRead: boolean; isOnTop: boolean };
type Told = { event: string; delta: number };

/** A user with two notifications, of which the older one is named. */
async function scene() {
  const db = await testDatabase();
  const user = await db.a.student();
  const [older] = await db.sql<{ id: string }[]>`
    select create_notification(${user.id}, 'system', 'Older', 'Text') as id`;
  await db.sql`select create_notification(${user.id}, 'system', 'Newer', 'Text')`;
  const id = older?.id ?? '';
  return {
    db,
    user,
    id,
    put: (change: Record<string, unknown>) =>
      db.as(user, (tx) => tx`update notifications set ${tx(change)} where id = ${id}`),
    look: () => look(db.sql, id),
    told: () => toldTo(db.sql, user),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

async function look(sql: Sql, id: string): Promise<Row | undefined> {
  const [row] = await sql<Row[]>`
    select box, read_at is not null as "isRead",
      listed_at = max(listed_at) over (partition by user_id) as "isOnTop"
    from notifications order by id = ${id} desc limit 1`;
  return row && { ...row };
}

/** What was told after the two were created. */
async function toldTo(sql: Sql, user: BuiltUser): Promise<Told[]> {
  const events = await sql<Told[]>`
    select event, (payload ->> 'unreadDelta')::integer as delta from private.live_events
    where topic = ${`user:${user.id}`} and seq > 2 order by seq`;
  return events.map((event) => ({ ...event }));
}

/** Time goes by until what is snoozed is due: nobody but an import may say that it is. */
const untilDue = (db: TestDatabase) =>
  db.sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`update notifications set snoozed_until = now() where snoozed_until is not null`;
  });

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();

describe('archiving', () => {
  it('takes it out of the inbox and the unread count, and back as it was', async () => {
    await using here = await scene();
    await here.put({ archived_at: '2000-01-01T00:00:00Z' });
    expect(await here.look()).toMatchObject({ box: 'archived', isRead: false });
    const [stamp] = await here.db.sql`
      select archived_at > now() - interval '1 minute' as now from notifications
      where archived_at is not null`;
    expect(stamp, 'by the server’s clock').toEqual({ now: true });
    await here.put({ archived_at: null });
    expect(await here.look()).toEqual({ box: 'inbox', isRead: false, isOnTop: false });
    expect((await here.told()).map(({ delta }) => delta)).toEqual([-1, 1]);
  });

  it('keeps it from being merged into, marked with all, and removed after thirty days', async () => {
    await using here = await scene();
    const { db, user } = here;
    const course = await db.a.course().taughtBy(user);
    await db.a.student().enrolledIn(course);
    await db.sql`update notifications set archived_at = now() where type = 'enrollment'`;
    await db.a.student().enrolledIn(course);
    await db.sql`
      update notifications set snoozed_until = ${inDays(1)}
      where type = 'enrollment' and box = 'inbox'`;
    await db.a.student().enrolledIn(course);
    expect([
      ...(await db.sql`select box, count from notifications
        where type = 'enrollment' order by created_at`),
    ]).toEqual([
      { box: 'archived', count: 1 },
      { box: 'snoozed', count: 1 },
      { box: 'inbox', count: 1 },
    ]);

    await db.as(
      user,
      (tx) => tx`
        select mark_notifications_read(listed_at, id) from notifications
        where box = 'inbox' order by listed_at desc limit 1`,
    );
    const unread = await db.sql`select box from notifications where read_at is null order by box`;
    expect([...unread]).toEqual([{ box: 'archived' }, { box: 'snoozed' }]);

    await db.sql.begin(async (tx) => {
      await tx`select set_config('homeroom.quiet', 'on', true)`;
      await tx`
        update notifications set read_at = now(), created_at = created_at - interval '40 days'`;
    });
    await db.sql`select cleanup_old_notifications()`;
    const kept = await db.sql`select box from notifications order by box`;
    expect([...kept]).toEqual([{ box: 'archived' }, { box: 'snoozed' }]);
  });
});

describe('snoozing', () => {
  it('puts it off, and brings it back unread, on top, told once', async () => {
    await using here = await scene();
    await here.put({ read_at: inDays(0) });
    await here.put({ snoozed_until: inDays(1) });
    expect(await here.look()).toMatchObject({ box: 'snoozed' });
    const wake = async () => (await here.db.sql`select private.wake_notifications() as woken`)[0];
    expect(await wake()).toEqual({ woken: 0 });
    await untilDue(here.db);
    expect(await wake()).toEqual({ woken: 1 });
    expect(await wake()).toEqual({ woken: 0 });
    expect(await here.look()).toEqual({ box: 'inbox', isRead: false, isOnTop: true });
    expect(await here.told()).toEqual([
      { event: 'notification.updated', delta: -1 },
      { event: 'notification.updated', delta: 0 },
      { event: 'notification.updated', delta: 1 },
    ]);
  });

  it('can be ended early: it is where it was, as it was', async () => {
    await using here = await scene();
    await here.put({ snoozed_until: inDays(1) });
    await here.put({ snoozed_until: null });
    expect(await here.look()).toEqual({ box: 'inbox', isRead: false, isOnTop: false });
    expect((await here.told()).map(({ delta }) => delta)).toEqual([-1, 1]);
  });

  it('lasts until a moment to come, at most a year away, and not in two boxes', async () => {
    await using here = await scene();
    for (const days of [-1, 0, 367]) {
      await expect(here.put({ snoozed_until: inDays(days) })).rejects.toThrow(
        'SNOOZE_OUT_OF_RANGE',
      );
    }
    await expect(here.put({ snoozed_until: inDays(1), archived_at: inDays(0) })).rejects.toThrow(
      'notifications_are_in_one_box',
    );
    expect(await here.told()).toEqual([]);
  });

  it('does not keep what expires meanwhile', async () => {
    await using here = await scene();
    await here.put({ snoozed_until: inDays(1) });
    await untilDue(here.db);
    await here.db.sql`update notifications set expires_at = now() where box = 'snoozed'`;
    await here.db.sql`select private.wake_notifications()`;
    expect(await here.look()).toMatchObject({ box: 'snoozed' });
    await here.db.sql`select private.expire_notifications()`;
    expect((await here.told()).at(-1)).toEqual({ event: 'notification.removed', delta: 0 });
  });
});
