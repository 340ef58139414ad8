import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { classroom, refusal, type Classroom } from '../testing/classroom.ts';
import { announcementSchema } from './contract.ts';

async function setUp(room: Classroom) {
  const { a } = room.db;
  const instructor = await a.instructor();
  const courses = [await a.course().taughtBy(instructor), await a.course().taughtBy(instructor)];
  const student = await a.student().enrolledIn(...courses);
  await a.student().enrolledIn(...courses.slice(0, 1));
  const { announcements } = await room.as(instructor);
  const draft = {
    id: randomUUID(),
    title: 'No class on Friday',
    content: 'We meet on **Monday**.',
    courseIds: courses.map(({ id }) => id),
  };
  return { instructor, courses, student, announcements, draft };
}

const told = (room: Classroom) => room.db.sql`
  select user_id, title from notifications where type = 'announcement'`;

it('goes to each student once, live, however many of its courses they take', async () => {
  await using room = await classroom();
  const { announcements, draft, student } = await setUp(room);
  const saved = await announcements.save.mutate(draft);
  expect(announcementSchema.safeParse(saved).error).toBeUndefined();
  expect(saved).toMatchObject({ status: 'draft', courses: [{}, {}] });
  expect(await told(room)).toHaveLength(0);

  const { id } = draft;
  const sent = await Promise.all([1, 2, 3].map(() => announcements.send.mutate({ id })));
  expect(sent).toEqual(Array(3).fill({ recipientCount: 2 }));
  expect(await told(room)).toHaveLength(2);

  const reader = await room.as(student);
  const list = await reader.notifications.list.query({});
  expect(list.data.items).toMatchObject([{ title: draft.title, relatedEntityId: id }]);
  const { events } = (await reader.live.since.query({
    ...list.cursor,
    seq: list.cursor.seq - 1,
  })) as {
    events: { event: string; data: unknown }[];
  };
  expect(events).toMatchObject([
    { event: 'notification.created', data: { notification: list.data.items[0], unreadDelta: 1 } },
  ]);
  expect(await reader.announcements.view.query({ id })).toMatchObject({
    content: draft.content,
    readCount: null,
  });
  await reader.notifications.markAsRead.mutate({ id: list.data.items[0]?.id ?? '' });
  expect((await announcements.list.query({})).items).toMatchObject([
    { status: 'sent', recipientCount: 2, readCount: 1 },
  ]);
  expect(await refusal(announcements.save.mutate(draft))).toMatchObject({
    appCode: 'ANNOUNCEMENT_SENT',
  });
});

it('is sent when it is due, exactly once, also by two jobs at a time', async () => {
  await using room = await classroom();
  const { announcements, draft } = await setUp(room);
  const { sql } = room.db;
  const due = () => sql`select private.send_due_announcement() as sent`;
  const later = new Date(Date.now() + 3_600_000).toISOString();
  await announcements.save.mutate({ ...draft, scheduledAt: later });
  expect([...(await due())]).toEqual([{ sent: 0 }]);
  await sql`update announcements set scheduled_at = now()`;
  const sent = (await Promise.all(Array.from({ length: 6 }, due))).map(
    ([row]) => row?.sent as number,
  );
  expect(sent.toSorted()).toEqual([0, 0, 0, 0, 0, 2]);
  expect(await told(room)).toHaveLength(2);
});

it('reaches nobody by who doesn’t teach, nor those who don’t want it', async () => {
  await using room = await classroom();
  const { announcements, draft, student, courses } = await setUp(room);
  const { id } = draft;
  const other = (await room.as(await room.db.a.instructor())).announcements;
  expect(await refusal(other.save.mutate(draft))).toMatchObject({ appCode: 'COURSE_NOT_FOUND' });
  await announcements.save.mutate(draft);
  for (const call of [
    () => other.send.mutate({ id }),
    () => other.remove.mutate({ id }),
    () => other.view.query({ id }),
  ]) {
    expect(await refusal(call())).toMatchObject({ appCode: 'ANNOUNCEMENT_NOT_FOUND' });
  }
  const reader = await room.as(student);
  expect(await refusal(reader.announcements.view.query({ id }))).toMatchObject({
    appCode: 'ANNOUNCEMENT_NOT_FOUND',
  });
  await reader.notifications.preferences.set.mutate({
    items: [{ type: 'announcement', enabled: false }],
  });
  // Whose right ended since sends to what is left of it.
  await room.db.sql`delete from course_instructors where course_id = ${courses[0]?.id ?? ''}`;
  expect(await announcements.send.mutate({ id })).toEqual({ recipientCount: 0 });
  expect(await told(room)).toHaveLength(0);
});
