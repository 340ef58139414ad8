import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing/index.ts';

/** Everything that moves the figures of a course, by how often it happens. */
const ACTIONS = {
  enroll: 30,
  complete: 25,
  cancel: 6,
  comeBack: 4,
  reopen: 2,
  review: 15,
  rerate: 6,
  unreview: 2,
  pay: 10,
  refund: 4,
  ask: 3,
  count: 2,
} as const;

type Action = { name: keyof typeof ACTIONS; student: number; course: number; rating: number };

const actions = fc.array(
  fc.record<Action>({
    name: fc.constantFrom(
      ...Object.entries(ACTIONS).flatMap(([name, weight]) =>
        Array.from({ length: weight }, () => name as Action['name']),
      ),
    ),
    student: fc.nat(59),
    course: fc.nat(2),
    rating: fc.integer({ min: 1, max: 5 }),
  }),
  { minLength: 10_000, maxLength: 10_000, size: 'max' },
);

/** One action as SQL; those that don't apply (a review of a stranger) change nothing. */
function statementOf({ name, rating }: Action): string {
  const here = 'user_id = $1 and course_id = $2';
  switch (name) {
    case 'enroll':
      return `insert into enrollments (user_id, course_id) select id, $2 from users where id = $1 on conflict do nothing`;
    case 'complete':
      return `update enrollments set status = 'completed', completed_at = now() where ${here} and status <> 'completed'`;
    case 'cancel':
      return `update enrollments set status = 'cancelled' where ${here}`;
    case 'comeBack':
      return `update enrollments set status = 'active' where ${here} and status = 'cancelled'`;
    case 'reopen':
      return `update enrollments set status = 'active' where ${here} and status = 'completed'`;
    case 'review':
      return `insert into course_reviews (user_id, course_id, rating) select id, $2, ${rating} from users where id = $1 on conflict do nothing`;
    case 'rerate':
      return `update course_reviews set rating = ${rating} where ${here}`;
    case 'unreview':
      return `delete from course_reviews where ${here}`;
    case 'pay':
      return `insert into payments (user_id, course_id, amount_cents, status) select id, $2, ${rating * 100}, 'succeeded' from users where id = $1`;
    case 'refund':
      return `update payments set status = 'refunded' where id = (select id from payments where ${here} and status = 'succeeded' limit 1)`;
    case 'ask':
      return `insert into discussion_threads (course_id, title, created_by) select $2, 'Why?', id from users where id = $1`;
    case 'count':
      return `select private.count_course_stats() where $1::uuid is not null and $2::uuid is not null`;
  }
}

async function differences({ sql }: TestDatabase) {
  return [...(await sql`select * from private.check_course_stats()`)];
}

it('keeps the figures equal to plain counts through 10,000 random actions, eight at a time', async () => {
  await using db = await testDatabase();
  const instructor = await db.a.instructor();
  const courses = await Promise.all([0, 1, 2].map(() => db.a.course().taughtBy(instructor)));
  const students = await Promise.all(Array.from({ length: 60 }, () => db.a.student()));
  const [sample = []] = fc.sample(actions, { numRuns: 1, seed: 20_261_121 });
  const queue = [...sample];
  const act = async () => {
    for (let action = queue.shift(); action; action = queue.shift()) {
      const ids = [students[action.student]?.id ?? '', courses[action.course]?.id ?? ''];
      await db.sql.unsafe(statementOf(action), ids);
    }
  };
  await Promise.all(Array.from({ length: 8 }, act));

  await db.sql`select private.count_course_stats()`;
  expect(await differences(db)).toEqual([]);
  const [counted] = await db.sql`
    select sum(total_enrollments)::integer as students, count(average_rating)::integer as rated
    from course_stats`;
  expect(counted?.students).toBeGreaterThan(50);
  expect(counted?.rated).toBe(3);

  const byHour = () => db.sql`
    select course_id, activity_type, sum(count)::integer as count, sum(amount)::integer as amount
    from course_activity_hours group by 1, 2 order by 1, 2`;
  const plain = await db.sql`
    select
      course_id, activity_type, count(*)::integer as count,
      coalesce(sum(coalesce((data ->> 'rating')::integer, (data ->> 'amount_cents')::integer)), 0)::integer as amount
    from student_activity group by 1, 2 order by 1, 2`;
  expect([...(await byHour())]).toEqual([...plain]);

  await db.sql`delete from auth.users where id = any (${students.slice(0, 9).map(({ id }) => id)})`;
  expect(await differences(db)).toEqual([]);
});

it('counts after an import, and mends what somebody changed by hand', async () => {
  await using db = await testDatabase();
  const course = await db.a.course().taughtBy(await db.a.instructor());
  await db.a.student().enrolledIn(course);
  await db.sql`select private.count_course_stats()`;
  await db.sql`update course_stats set total_enrollments = 7`;
  expect(await differences(db)).toEqual([
    { course_id: course.id, figure: 'total_enrollments', kept: '7', counted: '1' },
  ]);
  expect([...(await db.sql`select private.mend_course_stats() as mended`)]).toEqual([
    { mended: 1 },
  ]);
  expect(await differences(db)).toEqual([]);
});

it('tells instructors on their own topic, once for all that happened', async () => {
  await using db = await testDatabase();
  const instructor = await db.a.instructor();
  const course = await db.a.course().taughtBy(instructor);
  const told = () => db.sql`
    select payload -> 'stats' as stats from private.live_events
    where topic = ${`user:${instructor.id}`} and event = 'course_stats.changed' order by seq`;
  await db.sql`select private.count_course_stats()`;
  for (let student = 0; student < 3; student += 1) await db.a.student().enrolledIn(course);
  await db.sql`select private.count_course_stats()`;
  await db.sql`select private.count_course_stats()`;
  const events = await told();
  expect(events).toHaveLength(1);
  expect(events[0]?.stats).toMatchObject({ courseId: course.id, totalEnrollments: 3 });
});

it('is read by the staff of the course only, and written by nobody', async () => {
  await using db = await testDatabase();
  const instructor = await db.a.instructor();
  const course = await db.a.course().taughtBy(instructor);
  const student = await db.a.student().enrolledIn(course);
  await db.sql`select private.count_course_stats()`;
  const seenBy = (actor: { id: string }) =>
    db.as(actor, (tx) => tx`select course_id from course_stats`);
  expect(await seenBy(instructor)).toHaveLength(1);
  expect(await seenBy(student)).toHaveLength(0);
  expect(await seenBy(await db.a.instructor())).toHaveLength(0);
  await expect(
    db.as(instructor, (tx) => tx`update course_stats set total_enrollments = 1000`),
  ).rejects.toThrow(/permission denied/);
  expect([
    ...(await db.as(student, (tx) => tx`select course_stats_live(${[course.id]}::uuid[]) as s`)),
  ]).toEqual([{ s: [] }]);
});
