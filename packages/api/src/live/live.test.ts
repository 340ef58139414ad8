import { expect, it } from 'vitest';
import { notificationEventSchemas } from '../notifications/contract.ts';
import { classroom, clientOf, refusal, type Classroom, type Person } from '../testing/classroom.ts';

/** Every event of a topic, oldest first. */
async function allEvents(
  room: Classroom,
  person: Person,
): Promise<{ seq: number; event: string; data?: unknown }[]> {
  const { live } = await room.as(person);
  const topic = `user:${person.id}`;
  const events: Awaited<ReturnType<typeof allEvents>> = [];
  for (;;) {
    const since = await live.since.query({ topic, seq: events.at(-1)?.seq ?? 0, limit: 50 });
    if (since.status !== 'events') throw new Error(`The topic is ${since.status}`);
    events.push(...since.events);
    if (since.events.length === 0) return events;
  }
}

it('gives the events after a number, in order and of the shape of the contract', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const before = await (await room.as(ann)).notifications.list.query({});
  const id = await room.notify(ann);
  const client = await room.as(ann);
  await client.notifications.markAsRead.mutate({ id });
  await client.notifications.remove.mutate({ id });

  const since = await client.live.since.query(before.cursor);
  if (since.status !== 'events') throw new Error(`The topic is ${since.status}`);
  const told = since.events.map(({ seq, event }) => [seq - before.cursor.seq, event]);
  expect(told).toEqual([
    [1, 'notification.created'],
    [2, 'notification.updated'],
    [3, 'notification.removed'],
  ]);
  for (const { event, data } of since.events) {
    const schema = notificationEventSchemas[event as keyof typeof notificationEventSchemas];
    expect(schema.safeParse(data).error).toBeUndefined();
  }
  expect(since.head).toBe(since.events.at(-1)?.seq);
});

it('shows the same notification in the list and in its event', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  await room.notify(ann);
  const { data } = await (await room.as(ann)).notifications.list.query({});
  const [created] = await allEvents(room, ann);
  expect(created?.data).toEqual({ notification: data.items[0], unreadDelta: 1 });
});

it("refuses another's topic, and any topic to nobody", async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const course = await room.db.a.course().taughtBy(await room.db.a.instructor());
  const { live } = await room.as(await room.db.a.student());
  for (const topic of [`user:${ann.id}`, `course:${course.id}`, `course:${course.id}:staff`]) {
    expect(await refusal(live.since.query({ topic, seq: 0 }))).toMatchObject({
      httpStatus: 403,
      appCode: 'TOPIC_FORBIDDEN',
    });
  }
  const nobody = await room.as(null);
  const asking = nobody.live.since.query({ topic: `user:${ann.id}`, seq: 0 });
  expect(await refusal(asking)).toMatchObject({ httpStatus: 401 });
});

it('tells on which channel a topic is, and refuses it to who has lost the right to it', async () => {
  await using room = await classroom();
  const course = await room.db.a.course();
  const [ann, bob] = [
    await room.db.a.student().enrolledIn(course),
    await room.db.a.student().enrolledIn(course),
  ];
  const topic = `course:${course.id}`;
  const epoch = async (person: Person) => (await room.as(person)).live.epoch.query({ topic });
  expect(await epoch(ann)).toEqual({ epoch: 0 });
  await room.db.sql`delete from enrollments where user_id = ${bob.id}`;
  expect(await epoch(ann)).toEqual({ epoch: 1 });
  expect(await (await room.as(ann)).live.since.query({ topic, seq: 0 })).toMatchObject({
    epoch: 1,
  });
  expect(await refusal(epoch(bob))).toMatchObject({
    httpStatus: 403,
    appCode: 'TOPIC_FORBIDDEN',
  });
});

it.each([
  [{ topic: 'user', seq: 0 }, 'topic'],
  [{ topic: "user:' or true --", seq: 0 }, 'topic'],
  [{ topic: 'user:x', seq: -1 }, 'seq'],
  [{ topic: 'user:x', seq: 0, limit: 501 }, 'limit'],
])('names the field that is not valid in %j', async (input, field) => {
  await using room = await classroom();
  const { live } = await room.as(await room.db.a.student());
  expect(await refusal(live.since.query(input))).toMatchObject({
    httpStatus: 400,
    fields: [{ field }],
  });
});

it('reads data and cursor in one snapshot: each count is the sum of the events up to it', async () => {
  await using room = await classroom({ rateLimits: { query: 10_000, mutation: 10_000 } });
  const ann = await room.db.a.student();
  const client = clientOf(room.api, await room.db.token(ann));
  let isWriting = true;

  const write = async (): Promise<void> => {
    for (let round = 0; round < 12; round += 1) {
      const ids = await Promise.all([
        room.notify(ann, { type: 'review', minutesAgo: round }),
        room.notify(ann, { type: 'payment', minutesAgo: round, read: true }),
        room.notify(ann, { type: 'message', minutesAgo: round }),
      ]);
      await client.notifications.markAsRead.mutate({ id: ids[0] });
      await client.notifications.markAsUnread.mutate({ id: ids[1] });
      await client.notifications.remove.mutate({ id: ids[2] });
    }
  };
  const snapshots: { seq: number; unreadCount: number }[] = [];
  const read = async (): Promise<void> => {
    while (isWriting || snapshots.length < 200) {
      const { data, cursor } = await client.notifications.list.query({ limit: 1 });
      snapshots.push({ seq: cursor.seq, unreadCount: data.unreadCount });
    }
  };
  const writing = Promise.all([write(), write()]).finally(() => (isWriting = false));
  await Promise.all([writing, read(), read()]);

  const events = await allEvents(room, ann);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  const unreadAt = [0];
  for (const { data } of events) {
    const { unreadDelta } = data as { unreadDelta: number };
    unreadAt.push((unreadAt.at(-1) ?? 0) + unreadDelta);
  }
  const told = snapshots.map(({ seq }) => ({ seq, unreadCount: unreadAt[seq] }));
  expect(snapshots).toEqual(told);
  expect(new Set(snapshots.map(({ seq }) => seq)).size).toBeGreaterThan(10);
});

it.each(['commits', 'rolls back'])(
  'waits for a writer who has come to its commit, and %s',
  async (ending) => {
    await using room = await classroom();
    const ann = await room.db.a.student();
    const client = await room.as(ann);
    const { cursor } = await client.notifications.list.query({});
    let answers: Promise<Awaited<ReturnType<typeof read>>[]> | undefined;
    const read = () => client.notifications.list.query({});
    const since = () => client.live.since.query(cursor);
    let sinceThen: ReturnType<typeof since> | undefined;

    await room.db.sql
      .begin(async (tx) => {
        await tx`
          insert into public.notifications (user_id, type, title, message)
          values (${ann.id}, 'system', 'Just now', 'Something happened')`;
        await tx`set constraints all immediate`; // what a commit does first
        answers = Promise.all([read(), read()]);
        sinceThen = since();
        await readersWait(room);
        if (ending === 'rolls back') throw new Error('rolled back on purpose');
      })
      .catch((error: Error) => expect(error.message).toBe('rolled back on purpose'));

    const told = ending === 'commits' ? 1 : 0;
    for (const { data, cursor: after } of (await answers) ?? []) {
      expect(data.items).toHaveLength(told);
      expect(after.seq).toBe(cursor.seq + told);
    }
    expect(await sinceThen).toMatchObject({ status: 'events', head: cursor.seq + told });
  },
);

/** Resolves when a reader waits for a writer. */
async function readersWait({ db }: Classroom): Promise<void> {
  for (;;) {
    const [waiting] = await db.sql`
      select 1 from pg_stat_activity
      where wait_event = 'PgSleep' and datname = current_database()`;
    if (waiting) return;
  }
}
