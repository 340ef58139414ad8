import { describe, expect, it } from 'vitest';
import { joined, supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase, type BuiltUser, type TestDatabase } from '../testing/index.ts';

/** A course with everything that belongs to one, and people with each kind of right to it. */
async function school() {
  const db = await testDatabase();
  const [teacher, other, admin] = [
    await db.a.instructor(),
    await db.a.instructor(),
    await db.a.admin(),
  ];
  const course = await db.a.course().taughtBy(teacher, other);
  const workshop = await db.a.workshop(course);
  const [student, mate] = [
    await db.a.student().enrolledIn(course),
    await db.a.student().enrolledIn(course),
  ];
  await db.sql`
    insert into workshop_registrations (workshop_id, user_id)
    values (${workshop.id}, ${student.id}), (${workshop.id}, ${mate.id})`;
  const [thread] = await db.sql<{ id: string }[]>`
    insert into discussion_threads (course_id, title) values (${course.id}, 'Hello') returning id`;
  const topics = {
    course: `course:${course.id}`,
    thread: `thread:${thread?.id}`,
    leaderboard: `leaderboard:${course.id}`,
    staff: `course:${course.id}:staff`,
    workshop: `workshop:${workshop.id}`,
    workshopStaff: `workshop:${workshop.id}:staff`,
    student: `user:${student.id}`,
    mate: `user:${mate.id}`,
  };
  return {
    ...{ db, course, workshop, topics },
    people: { teacher, other, admin, student, mate },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

type School = Awaited<ReturnType<typeof school>>;
type Named = keyof School['topics'];

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** The topics, by name, that are on another channel than their first. */
async function moved({ db, topics }: School): Promise<Named[]> {
  const rows = await db.sql<{ topic: string }[]>`
    select topic from private.live_topics where epoch > 0`;
  const names = Object.keys(topics) as Named[];
  return names.filter((name) => rows.some(({ topic }) => topic === topics[name]));
}

const publish = ({ sql }: TestDatabase, topic: string, event = 'tested') =>
  sql`select private.publish(${topic}, ${event}, '{}')`;

const canJoin = async ({ sql }: TestDatabase, channel: string, person: BuiltUser) => {
  const [row] = await sql<{ may: boolean }[]>`
    select private.can_join_channel(${channel}, ${person.id}) as may`;
  return row?.may;
};

const MEMBERS: Named[] = ['course', 'thread', 'leaderboard'];
const STAFF: Named[] = [...MEMBERS, 'staff', 'workshop', 'workshopStaff'];

describe('a right that ends moves the topics it was for', () => {
  it.each<[what: string, sql: (school: School) => string, moves: Named[]]>([
    [
      'an enrollment is cancelled',
      ({ people }) =>
        `update enrollments set status = 'cancelled' where user_id = '${people.student.id}'`,
      MEMBERS,
    ],
    [
      'an enrollment is deleted',
      ({ people }) => `delete from enrollments where user_id = '${people.student.id}'`,
      MEMBERS,
    ],
    [
      'an instructor is removed',
      ({ people }) => `delete from course_instructors where user_id = '${people.other.id}'`,
      STAFF,
    ],
    [
      'a registration is cancelled',
      ({ people }) =>
        `update workshop_registrations set status = 'cancelled' where user_id = '${people.student.id}'`,
      ['workshop'],
    ],
    [
      'a registration is deleted',
      ({ people }) => `delete from workshop_registrations where user_id = '${people.student.id}'`,
      ['workshop'],
    ],
    [
      'a student is deactivated',
      ({ people }) => `update users set is_active = false where id = '${people.student.id}'`,
      [...MEMBERS, 'workshop', 'student'],
    ],
    [
      'a student is erased',
      ({ people }) => `delete from auth.users where id = '${people.student.id}'`,
      [...MEMBERS, 'workshop'],
    ],
    [
      'an administrator is none any more',
      ({ people }) => `update users set role = 'student' where id = '${people.admin.id}'`,
      STAFF,
    ],
    [
      'an administrator is erased',
      ({ people }) => `delete from auth.users where id = '${people.admin.id}'`,
      STAFF,
    ],
    [
      'progress is made',
      ({ people }) => `update enrollments set progress = 50 where user_id = '${people.student.id}'`,
      [],
    ],
    [
      'somebody checks in',
      ({ people }) =>
        `update workshop_registrations set status = 'checked_in', checked_in_at = now()
         where user_id = '${people.student.id}'`,
      [],
    ],
  ])('when %s', async (_, sql, moves) => {
    await using here = await school();
    await here.db.sql.unsafe(sql(here));
    expect(new Set(await moved(here))).toEqual(new Set(moves));
  });

  it('once in a transaction, however many lose it', async () => {
    await using here = await school();
    const { db, course, topics, people } = here;
    await db.sql`delete from enrollments where course_id = ${course.id}`;
    const [head] = await db.sql`
      select epoch::integer from private.live_topics where topic = ${topics.course}`;
    expect(head?.epoch).toBe(1);
    const told = await db.sql`
      select topic, payload from private.live_events where event = 'access.revoked'`;
    expect(new Set(told.map((row) => row.topic as string))).toEqual(
      new Set([`user:${people.student.id}`, `user:${people.mate.id}`]),
    );
    expect(told[0]?.payload).toEqual({ scope: topics.course });
  });

  it('not when it is rolled back', async () => {
    await using here = await school();
    await expect(
      here.db.sql.begin(async (tx) => {
        await tx`delete from enrollments`;
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await moved(here)).toEqual([]);
  });
});

describe('a channel', () => {
  it('is joined by readers, and only while it is the one of its topic', async () => {
    await using here = await school();
    const { db, topics, people } = here;
    await db.sql`delete from enrollments where user_id = ${people.student.id}`;
    for (const live of ['', ':live']) {
      expect(await canJoin(db, `${topics.course}${live}`, people.mate)).toBe(false);
      expect(await canJoin(db, `${topics.course}:e1${live}`, people.mate)).toBe(true);
      expect(await canJoin(db, `${topics.course}:e1${live}`, people.student)).toBe(false);
      for (const other of ['e0', 'e2', 'e01', 'e1:e1', 'e99999999999999999999']) {
        expect(await canJoin(db, `${topics.course}:${other}${live}`, people.mate), other).toBe(
          false,
        );
      }
    }
  });

  it('is told to readers of the topic, and to nobody else', async () => {
    await using here = await school();
    const { db, topics, people } = here;
    await db.sql`delete from enrollments where user_id = ${people.student.id}`;
    const ask = (person: BuiltUser) =>
      db.as(person, async (tx) => {
        const [row] = await tx`
          select
            live_epoch(${topics.course})::integer as epoch,
            live_since(${topics.course}, 0) ->> 'epoch' as since`;
        return row;
      });
    expect(await ask(people.mate)).toEqual({ epoch: 1, since: '1' });
    await expect(ask(people.student)).rejects.toMatchObject({ message: 'TOPIC_FORBIDDEN' });
  });

  it('is not joined by who may not come in any more, their own least of all', async () => {
    await using here = await school();
    const { db, topics, people } = here;
    await db.sql`update users set is_active = false where id = ${people.student.id}`;
    for (const channel of [topics.student, `${topics.student}:e1`, `${topics.course}:e1`]) {
      expect(await canJoin(db, channel, people.student)).toBe(false);
    }
  });

  it('that was left carries nothing from the transaction of the move on, but where to go', async () => {
    await using here = await school();
    const { db, topics, people } = here;
    await publish(db, topics.course, 'before');
    await db.sql.begin(async (tx) => {
      await tx`select private.publish(${topics.course}, 'with it', '{}')`;
      await tx`delete from enrollments where user_id = ${people.student.id}`;
    });
    await publish(db, topics.course, 'after');
    const sent = await db.sql<{ topic: string; event: string; seq: number | null }[]>`
      select topic, event, (payload -> 'seq')::integer as seq from realtime.messages
      where topic like ${`${topics.course}%`}
        and topic not like '%:staff'
        and event in ('before', 'with it', 'after', 'topic.moved')
      order by seq nulls last`;
    const first = sent[0]?.seq ?? 0;
    expect([...sent]).toEqual([
      { topic: topics.course, event: 'before', seq: first },
      { topic: `${topics.course}:e1`, event: 'with it', seq: first + 1 },
      { topic: `${topics.course}:e1`, event: 'after', seq: first + 2 },
      { topic: topics.course, event: 'topic.moved', seq: null },
    ]);
    const [move] = await db.sql`
      select payload from realtime.messages where event = 'topic.moved' and topic = ${topics.course}`;
    expect(move?.payload).toMatchObject({ epoch: 1, withinMs: 20 });
  });
});

it('keeps numbers without holes while rights end and events are published', async () => {
  await using db = await testDatabase();
  const course = await db.a.course().taughtBy(await db.a.instructor());
  const leaving = await Promise.all(upTo(12).map(() => db.a.student().enrolledIn(course)));
  const topic = `course:${course.id}`;
  await Promise.all([
    ...upTo(12).map(async () => {
      for (let round = 0; round < 10; round += 1) await publish(db, topic);
    }),
    ...leaving.map(
      ({ id }) =>
        db.sql`delete from enrollments where user_id = ${id} and course_id = ${course.id}`,
    ),
  ]);
  const rows = await db.sql<{ seq: number; epoch: number }[]>`
    select (payload -> 'seq')::integer as seq,
      coalesce(substring(topic from ':e([0-9]+)$')::integer, 0) as epoch
    from realtime.messages
    where topic ~ ${`^${topic}(:e[0-9]+)?$`} and event = 'tested'
    order by seq`;
  expect(rows.map(({ seq }) => seq)).toEqual(upTo(120));
  // No event went to a channel after a later number had gone to the next one.
  const epochs = rows.map(({ epoch }) => epoch);
  expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
  const [head] = await db.sql`
    select epoch::integer from private.live_topics where topic = ${topic}`;
  expect(head?.epoch).toBe(12);
  const [stats] = await db.sql`
    select deadlocks::integer from pg_stat_database where datname = current_database()`;
  expect(stats?.deadlocks).toBe(0);
});

it('is heard by nobody who was removed, however long they stay on the socket', async () => {
  await using here = await school();
  const { db, topics, people } = here;
  await using eve = await supabaseClient(db, people.student);
  await using mate = await supabaseClient(db, people.mate);
  const channelOf = (client: typeof eve, name: string) => {
    const heard: string[] = [];
    const channel = client.channel(name, { config: { private: true } });
    channel.on('broadcast', { event: '*' }, ({ event }) => heard.push(event));
    return { channel, heard };
  };
  const names = [topics.course, topics.thread, topics.leaderboard];
  const ofEve = names.map((name) => channelOf(eve, name));
  const ofMate = names.map((name) => channelOf(mate, name));
  await Promise.all([...ofEve, ...ofMate].map(({ channel }) => joined(channel)));
  for (const name of names) await publish(db, name, 'before');
  await expect.poll(() => ofEve.map(({ heard }) => heard)).toEqual(names.map(() => ['before']));

  await db.sql`delete from enrollments where user_id = ${people.student.id}`;
  for (const name of names) await publish(db, name, 'at once');
  const there = names.map((name) => channelOf(mate, `${name}:e1`));
  await Promise.all(there.map(({ channel }) => joined(channel)));
  for (const name of names) await publish(db, name, 'after');
  await expect.poll(() => there.map(({ heard }) => heard.at(-1))).toEqual(names.map(() => 'after'));
  for (const { heard } of [...ofEve, ...ofMate]) expect(heard).toEqual(['before', 'topic.moved']);

  for (const name of names) {
    await expect(joined(channelOf(eve, `${name}:e1`).channel)).rejects.toThrow('Unauthorized');
  }
});
