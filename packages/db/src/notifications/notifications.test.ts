import type { Sql, TransactionSql } from 'postgres';
import { describe, expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing/index.ts';

type Row = {
  id: string;
  type: string;
  level: string;
  title: string;
  message: string;
  count: number;
  courseId: string | null;
  readAt: string | null;
  createdAt: string;
  data: Record<string, unknown>;
};

const notificationsOf = async (sql: Sql, user: { id: string }) =>
  (
    await sql<{ json: Row }[]>`
      select private.notification_json(notifications) as json from notifications
      where user_id = ${user.id} order by created_at desc, id desc`
  ).map((row) => row.json);

const eventsOf = async (sql: Sql, topic: string) =>
  sql<{ seq: number; event: string; payload: Record<string, unknown> }[]>`
    select seq::integer, event, payload from private.live_events
    where topic = ${topic} order by seq`;

const enroll = (sql: Sql | TransactionSql, student: { id: string }, course: { id: string }) =>
  sql`insert into enrollments (user_id, course_id) values (${student.id}, ${course.id})`;

async function classroom() {
  const db = await testDatabase();
  const instructor = await db.a.instructor();
  const second = await db.a.instructor();
  const course = await db.a.course({ title: 'Graphs' }).taughtBy(instructor, second);
  const student = await db.a.student({ firstName: 'Ada', lastName: 'Lovelace' });
  return {
    db,
    instructor,
    second,
    course,
    student,
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

/** Makes the notifications so far too old to be merged into. */
const aMinutePasses = (db: TestDatabase) =>
  db.sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`update notifications set created_at = created_at - interval '61 seconds'`;
  });

describe('every instructor of a course is notified', () => {
  it('of an enrollment; the feed and the student hear of it too', async () => {
    await using room = await classroom();
    const { db, course, student, instructor, second } = room;
    await enroll(db.sql, student, course);
    for (const teacher of [instructor, second]) {
      const [notification, ...others] = await notificationsOf(db.sql, teacher);
      expect(others).toEqual([]);
      expect(notification).toMatchObject({
        type: 'enrollment',
        level: 'info',
        title: 'New Student Enrolled',
        message: 'Ada Lovelace enrolled in "Graphs"',
        count: 1,
        courseId: course.id,
        readAt: null,
        data: { course_id: course.id, student_id: student.id, student_name: 'Ada Lovelace' },
      });
      expect([...(await eventsOf(db.sql, `user:${teacher.id}`))]).toEqual([
        { seq: 1, event: 'notification.created', payload: { notification, unreadDelta: 1 } },
      ]);
    }
    const [own] = await eventsOf(db.sql, `user:${student.id}`);
    expect(own).toMatchObject({
      event: 'enrollment.created',
      payload: { courseId: course.id, courseTitle: 'Graphs' },
    });
    const [activity] = await eventsOf(db.sql, `course:${course.id}:staff`);
    expect(activity).toMatchObject({
      event: 'activity.created',
      payload: {
        activity: { type: 'enrolled', userId: student.id, studentName: 'Ada Lovelace', data: {} },
      },
    });
  });

  it('of a workshop registration, a completion, a review and a payment that succeeded', async () => {
    await using room = await classroom();
    const { db, course, student, instructor } = room;
    const workshop = await db.a.workshop(course);
    await enroll(db.sql, student, course);
    await db.sql`
      insert into workshop_registrations (workshop_id, user_id)
      values (${workshop.id}, ${student.id})`;
    await db.sql`
      update enrollments set status = 'completed', completed_at = now()
      where user_id = ${student.id}`;
    await db.sql`update enrollments set progress = 100 where user_id = ${student.id}`;
    await db.sql`
      insert into course_reviews (user_id, course_id, rating) values (${student.id}, ${course.id}, 5)`;
    await db.sql`
      insert into payments (user_id, course_id, amount_cents, status)
      values (${student.id}, ${course.id}, 4900, 'pending')`;
    await db.sql`update payments set status = 'succeeded'`;
    await db.sql`update payments set status = 'succeeded'`;
    const told = await notificationsOf(db.sql, instructor);
    expect(told.map(({ type, count }) => [type, count]).sort()).toEqual([
      ['course_completion', 1],
      ['enrollment', 1],
      ['payment', 1],
      ['review', 1],
      ['workshop_registration', 1],
    ]);
    const feed = await eventsOf(db.sql, `course:${course.id}:staff`);
    expect(feed).toHaveLength(5);
  });

  it('but not of what they do themselves', async () => {
    await using room = await classroom();
    await enroll(room.db.sql, room.instructor, room.course);
    expect(await notificationsOf(room.db.sql, room.instructor)).toEqual([]);
    expect(await notificationsOf(room.db.sql, room.second)).toHaveLength(1);
  });

  it('and a failure is recorded without undoing what it was about', async () => {
    await using room = await classroom();
    const { db, course, student, instructor, second } = room;
    await db.sql`
      alter table notifications add constraint refuse_one check (user_id <> ${db.sql.unsafe(`'${instructor.id}'`)})`;
    await enroll(db.sql, student, course);
    expect(await db.sql`select 1 from enrollments`).toHaveLength(1);
    expect(await notificationsOf(db.sql, second)).toHaveLength(1);
    const failures = await db.sql`select sql_state, intents from private.notification_failures`;
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({
      sql_state: '23514',
      intents: [{ user_id: instructor.id, type: 'enrollment' }],
    });
    // The numbers that the failed one would have taken are not missing.
    await db.sql`select private.publish(${`user:${instructor.id}`}, 'tested', '{}')`;
    expect((await eventsOf(db.sql, `user:${instructor.id}`)).map((row) => row.seq)).toEqual([1]);
  });

  it('unless history is imported quietly', async () => {
    await using room = await classroom();
    await room.db.sql.begin(async (tx) => {
      await tx`select set_config('homeroom.quiet', 'on', true)`;
      await tx`
        insert into enrollments (user_id, course_id) values (${room.student.id}, ${room.course.id})`;
    });
    expect(await room.db.sql`select 1 from notifications`).toHaveLength(0);
    expect(await room.db.sql`select 1 from private.live_events`).toHaveLength(0);
  });
});

describe('repeats', () => {
  it('within a minute become one, with a count; id and time stay', async () => {
    await using room = await classroom();
    const { db, course, instructor, student } = room;
    await enroll(db.sql, student, course);
    const [first] = await notificationsOf(db.sql, instructor);
    for (let more = 0; more < 4; more += 1) await db.a.student().enrolledIn(course);
    const [merged, ...others] = await notificationsOf(db.sql, instructor);
    expect(others).toEqual([]);
    expect(merged).toMatchObject({
      id: first?.id,
      createdAt: first?.createdAt,
      count: 5,
      message: '5 students enrolled in "Graphs"',
    });
    const events = await eventsOf(db.sql, `user:${instructor.id}`);
    expect(events.map(({ event, payload }) => [event, payload.unreadDelta])).toEqual([
      ['notification.created', 1],
      ...Array.from({ length: 4 }, () => ['notification.updated', 0]),
    ]);
  });

  it('in one transaction become one, told once', async () => {
    await using room = await classroom();
    const { db, course, instructor } = room;
    const students = await Promise.all(Array.from({ length: 7 }, () => db.a.student()));
    await db.sql`
      insert into enrollments (user_id, course_id)
      select id, ${course.id} from unnest(${students.map(({ id }) => id)}::uuid[]) as id`;
    const [merged] = await notificationsOf(db.sql, instructor);
    expect(merged).toMatchObject({ count: 7, message: '7 students enrolled in "Graphs"' });
    const events = await eventsOf(db.sql, `user:${instructor.id}`);
    expect(events.map(({ seq, event }) => [seq, event])).toEqual([[1, 'notification.created']]);
  });

  it('leave the indexes alone: nothing that one knows changes', async () => {
    await using room = await classroom();
    const { db, course, student } = room;
    await db.a.student().enrolledIn(course);
    await db.sql.begin(async (tx) => {
      await enroll(tx, student, course);
      await tx`set constraints all immediate`;
      const [updates] = await tx`
        select
          pg_stat_get_xact_tuples_updated('notifications'::regclass)::integer as all,
          pg_stat_get_xact_tuples_hot_updated('notifications'::regclass)::integer as hot`;
      // One for each of the two instructors.
      expect(updates).toEqual({ all: 2, hot: 2 });
    });
  });

  it('are exact when 40 students enroll at the same time', async () => {
    await using room = await classroom();
    const { db, course, instructor } = room;
    const students = await Promise.all(Array.from({ length: 40 }, () => db.a.student()));
    await Promise.all(students.map((student) => enroll(db.sql, student, course)));
    const [merged, ...others] = await notificationsOf(db.sql, instructor);
    expect(others).toEqual([]);
    expect(merged?.count).toBe(40);
    const events = await eventsOf(db.sql, `user:${instructor.id}`);
    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
  });

  it('start anew after a minute, after reading, and for another course or type', async () => {
    await using room = await classroom();
    const { db, course, instructor } = room;
    await db.a.student().enrolledIn(course);
    await aMinutePasses(db);
    await db.a.student().enrolledIn(course);
    await db.sql`update notifications set read_at = now()`;
    await db.a.student().enrolledIn(course);
    const other = await db.a.course().taughtBy(instructor);
    const student = await db.a.student().enrolledIn(other);
    await db.sql`
      insert into course_reviews (user_id, course_id, rating) values (${student.id}, ${other.id}, 4)`;
    const told = await notificationsOf(db.sql, instructor);
    expect(told.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1]);
  });
});

describe('preferences', () => {
  it('keep out the types that a user does not want, and leave no hole', async () => {
    await using room = await classroom();
    const { db, course, instructor, second, student } = room;
    await db.as(
      instructor,
      (tx) => tx`
      insert into notification_preferences (user_id, type, enabled)
      values (${instructor.id}, 'enrollment', false)`,
    );
    await enroll(db.sql, student, course);
    expect(await notificationsOf(db.sql, instructor)).toEqual([]);
    expect(await notificationsOf(db.sql, second)).toHaveLength(1);
    await db.sql`
      insert into course_reviews (user_id, course_id, rating) values (${student.id}, ${course.id}, 5)`;
    const events = await eventsOf(db.sql, `user:${instructor.id}`);
    expect(events.map(({ seq, event }) => [seq, event])).toEqual([[1, 'notification.created']]);
  });
});

describe('create_notification', () => {
  it('notifies once per dedupe key', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    const create = async () => {
      const [row] = await db.sql`
        select create_notification(
          ${user.id}, 'subscription', 'Ends soon', 'In 3 days', level => 'warning', dedupe_key => 'ends-3'
        ) as id`;
      return row?.id as string;
    };
    const first = await create();
    expect(await create()).toBe(first);
    expect(await notificationsOf(db.sql, user)).toHaveLength(1);
    const events = await eventsOf(db.sql, `user:${user.id}`);
    expect(events.map((event) => event.seq)).toEqual([1]);
  });

  it('merges what is merged, and keeps texts of their own apart', async () => {
    await using room = await classroom();
    const { db, course, student } = room;
    const create = (type: string) => db.sql`
      select create_notification(${student.id}, ${type}, 'Title', 'Text',
        ${JSON.stringify({ course_id: course.id })}::text::jsonb)`;
    await create('review');
    await create('review');
    await create('announcement');
    await create('announcement');
    const told = await notificationsOf(db.sql, student);
    expect(told.map(({ type, count }) => [type, count]).sort()).toEqual([
      ['announcement', 1],
      ['announcement', 1],
      ['review', 2],
    ]);
  });

  it('refuses what is wrong at once', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    await expect(
      db.sql`select create_notification(${user.id}, 'gossip', 'Title', 'Text')`,
    ).rejects.toThrow('notifications_have_a_known_type');
    await expect(
      db.sql`select create_notification(gen_random_uuid(), 'system', 'Title', 'Text')`,
    ).rejects.toThrow('There is no user');
  });
});

describe('what is over', () => {
  it('is cleaned up: old and read, very old, expired; its owner is told', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    const make = (age: string, read: boolean, expires: string | null = null) => db.sql`
      insert into notifications (user_id, type, title, message, created_at, read_at, expires_at)
      values (${user.id}, 'system', 'Title', 'Text', now() - ${age}::interval,
        ${read ? db.sql`now()` : null}, now() + ${expires}::interval)`;
    await make('31 days', true);
    await make('31 days', false);
    await make('91 days', false);
    await make('1 day', true);
    await make('1 day', false, '-1 second');
    const [cleaned] = await db.sql`select cleanup_old_notifications() as count`;
    expect(cleaned?.count).toBe(3);
    expect(await notificationsOf(db.sql, user)).toHaveLength(2);
    const events = await eventsOf(db.sql, `user:${user.id}`);
    const deltas = events.map(({ payload }) => payload.unreadDelta as number);
    expect(deltas.reduce((sum, delta) => sum + delta, 0)).toBe(1);
  });

  it('goes within the minute when it has an end', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    await db.sql`
      select create_notification(${user.id}, 'system', 'Title', 'Text',
        expires_at => now() - interval '1 second')`;
    const [expired] = await db.sql`select private.expire_notifications() as count`;
    expect(expired?.count).toBe(1);
    const events = await eventsOf(db.sql, `user:${user.id}`);
    expect(events.map(({ event, payload }) => [event, payload.unreadDelta])).toEqual([
      ['notification.created', 1],
      ['notification.removed', -1],
    ]);
  });
});

describe('reading', () => {
  it('marks all up to what was seen, and nothing that came after', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    const create = () => db.sql`select create_notification(${user.id}, 'system', 'Title', 'Text')`;
    await create();
    await create();
    const [seen] = await notificationsOf(db.sql, user);
    await create();
    const marked = await db.as(user, async (tx) => {
      const [row] = await tx`
        select mark_notifications_read(${seen!.createdAt}::timestamptz, ${seen!.id}) as count`;
      return row?.count as number;
    });
    expect(marked).toBe(2);
    const [newest, ...older] = await notificationsOf(db.sql, user);
    expect(newest?.readAt).toBeNull();
    const last = (await eventsOf(db.sql, `user:${user.id}`)).at(-1);
    expect(last).toEqual({
      seq: 4,
      event: 'notifications.read',
      payload: {
        through: { createdAt: seen?.createdAt, id: seen?.id },
        readAt: older[0]?.readAt,
        unreadDelta: -2,
      },
    });
  });

  it('tells again what it passed over because someone was changing it', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    await db.sql`select create_notification(${user.id}, 'system', 'First', 'Text')`;
    await db.sql`select create_notification(${user.id}, 'system', 'Second', 'Text')`;
    const [second, first] = await notificationsOf(db.sql, user);
    await db.as(user, async (tx) => {
      // Changes nothing, and so will tell nothing; but the row is locked until the commit.
      await tx`update notifications set read_at = null where id = ${first!.id}`;
      await db.as(
        user,
        (other) =>
          other`select mark_notifications_read(${second!.createdAt}::timestamptz, ${second!.id})`,
      );
    });
    const [isRead, stillUnread] = await notificationsOf(db.sql, user);
    expect([isRead?.readAt, stillUnread?.readAt]).toEqual([expect.any(String), null]);
    const events = (await eventsOf(db.sql, `user:${user.id}`)).slice(2);
    expect(events).toMatchObject([
      { seq: 3, event: 'notifications.read', payload: { unreadDelta: -1 } },
      {
        seq: 4,
        event: 'notification.updated',
        payload: { notification: { id: first?.id, readAt: null }, unreadDelta: 0 },
      },
    ]);
  });

  it('happens when the server says, and stays the first time', async () => {
    await using db = await testDatabase();
    const user = await db.a.student();
    await db.sql`select create_notification(${user.id}, 'system', 'Title', 'Text')`;
    const mark = (at: string | null) =>
      db.as(user, (tx) => tx`update notifications set read_at = ${at}`);
    await mark('2001-01-01');
    const [first] = await notificationsOf(db.sql, user);
    expect(Date.parse(first!.readAt!)).toBeGreaterThan(Date.parse(first!.createdAt) - 1);
    await mark('2002-01-01');
    expect((await notificationsOf(db.sql, user))[0]?.readAt).toBe(first?.readAt);
    await mark(null);
    const events = await eventsOf(db.sql, `user:${user.id}`);
    expect(events.map(({ event, payload }) => [event, payload.unreadDelta])).toEqual([
      ['notification.created', 1],
      ['notification.updated', -1],
      ['notification.updated', 1],
    ]);
  });
});
