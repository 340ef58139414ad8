import { describe, expect, it } from 'vitest';
import { testDatabase } from '../testing/index.ts';

async function school() {
  const db = await testDatabase();
  const instructor = await db.a.instructor();
  const course = await db.a.course().taughtBy(instructor);
  const workshop = await db.a.workshop(course);
  const student = await db.a.student().enrolledIn(course);
  const registered = await db.a.student();
  await db.sql`
    insert into workshop_registrations (workshop_id, user_id)
    values (${workshop.id}, ${registered.id})`;
  const [thread] = await db.sql<{ id: string }[]>`
    insert into discussion_threads (course_id, title, created_by)
    values (${course.id}, 'Hello', ${student.id}) returning id`;
  return {
    db,
    course,
    workshop,
    thread: thread!,
    people: {
      instructor,
      student,
      registered,
      stranger: await db.a.student(),
      admin: await db.a.admin(),
    },
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

type Person = keyof Awaited<ReturnType<typeof school>>['people'];

describe('a topic', () => {
  it('is read by those it is for, and by nobody else', async () => {
    await using world = await school();
    const { db, course, workshop, thread, people } = world;
    const readers: [topic: string, readers: Person[]][] = [
      [`user:${people.student.id}`, ['student']],
      ['school:workshops', ['instructor', 'student', 'registered', 'stranger', 'admin']],
      ['school:workshops:staff', []],
      ['school:else', []],
      [`school:${course.id}`, []],
      [`course:${course.id}`, ['instructor', 'student', 'admin']],
      [`course:${course.id}:staff`, ['instructor', 'admin']],
      [`thread:${thread.id}`, ['instructor', 'student', 'admin']],
      [`workshop:${workshop.id}`, ['instructor', 'registered', 'admin']],
      [`workshop:${workshop.id}:staff`, ['instructor', 'admin']],
      ['leaderboard:global', ['instructor', 'student', 'registered', 'stranger', 'admin']],
      [`leaderboard:${course.id}`, ['instructor', 'student', 'admin']],
      [`user:${people.student.id}:staff`, []],
      [`user:${people.student.id} or true`, []],
      ['user:', []],
      [`room:${course.id}`, []],
      [`course:${course.id}:teachers`, []],
      [`course:${course.id}:staff:staff`, []],
      ['everything', []],
      ['', []],
    ];
    for (const [topic, allowed] of readers) {
      for (const name of Object.keys(people) as Person[]) {
        const [row] = await db.sql`
          select
            private.can_read_topic(${topic}, ${people[name].id}) as read,
            private.can_join_channel(${topic}, ${people[name].id}) as join,
            private.can_join_channel(${topic} || ':live', ${people[name].id}) as live,
            private.can_send_on_channel(${topic}, ${people[name].id}) as send,
            private.can_send_on_channel(${topic} || ':live', ${people[name].id}) as send_live`;
        const may = allowed.includes(name);
        expect({ topic, name, ...row }).toEqual({
          topic,
          name,
          read: may,
          join: may,
          live: may,
          send: false,
          send_live: may,
        });
      }
      const [nobody] = await db.sql`select private.can_read_topic(${topic}, null) as read`;
      expect(nobody?.read).toBe(false);
    }
  });

  it('is joined by its readers and spoken on beside, never on it', async () => {
    await using world = await school();
    const { db, people } = world;
    const topic = `user:${people.student.id}`;
    const joins = (person: { id: string } | null, to: string) =>
      db.as(person, async (tx) => {
        await tx`reset role`;
        const probes = await tx<{ id: string }[]>`
          insert into realtime.messages (topic, extension)
          values (${to}, 'broadcast'), (${to}, 'presence') returning id`;
        await tx`
          select set_config('realtime.topic', ${to}, true),
            set_config('role', ${person ? 'authenticated' : 'anon'}, true)`;
        const ids = probes.map((probe) => probe.id);
        return (await tx`select id from realtime.messages where id = any(${ids}::uuid[])`).length;
      });
    expect(await joins(people.student, topic)).toBe(2);
    expect(await joins(people.stranger, topic)).toBe(0);
    expect(await joins(null, topic)).toBe(0);

    const sends = (person: { id: string }, to: string, extension: string) =>
      db.as(person, async (tx) => {
        await tx`select set_config('realtime.topic', ${to}, true)`;
        await tx`insert into realtime.messages (topic, extension) values (${to}, ${extension})`;
        return 'sent';
      });
    await expect(sends(people.student, topic, 'broadcast')).rejects.toThrow(/row-level security/);
    await expect(sends(people.student, topic, 'presence')).rejects.toThrow(/row-level security/);
    await expect(sends(people.stranger, `${topic}:live`, 'presence')).rejects.toThrow(
      /row-level security/,
    );
    expect(await sends(people.student, `${topic}:live`, 'presence')).toBe('sent');
    expect(await sends(people.student, `${topic}:live`, 'broadcast')).toBe('sent');
  });

  it('catches up from any number, in pages, for its readers only', async () => {
    await using world = await school();
    const { db, people } = world;
    const topic = `user:${people.student.id}`;
    await db.sql.begin(async (tx) => {
      for (let number = 1; number <= 7; number += 1) {
        await tx`select private.publish(${topic}, 'tested', jsonb_build_object('number', ${number}::integer))`;
      }
    });
    const since = (person: { id: string } | null, after: number, max = 500) =>
      db.as(person, async (tx) => {
        const [row] =
          await tx`select live_since(${topic}, ${after}::bigint, ${max}::integer) as answer`;
        return row?.answer as { status: string; head: number; events?: { seq: number }[] };
      });
    // The enrollment that made the student a member was number 1.
    const page = await since(people.student, 3, 2);
    expect(page).toMatchObject({ status: 'events', head: 8, events: [{ seq: 4 }, { seq: 5 }] });
    expect(await since(people.student, 8)).toEqual({
      status: 'events',
      head: 8,
      epoch: 0,
      events: [],
    });
    expect(await since(people.student, 9)).toEqual({ status: 'too-old', head: 8, epoch: 0 });
    await expect(since(people.stranger, 0)).rejects.toMatchObject({
      code: '42501',
      message: 'TOPIC_FORBIDDEN',
    });
    await expect(since(null, 0)).rejects.toMatchObject({ code: '42501' });
  });

  it('shows its head to its readers only', async () => {
    await using world = await school();
    const { db, people } = world;
    const head = (person: { id: string }) =>
      db.as(person, async (tx) => {
        const [row] =
          await tx`select private.live_cursor(${`user:${people.student.id}`})::integer as seq`;
        return row?.seq as number;
      });
    expect(await head(people.student)).toBe(1);
    expect(await head(people.stranger)).toBe(0);
  });
});
