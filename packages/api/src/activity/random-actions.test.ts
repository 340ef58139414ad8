import type { TestDatabase } from '@homeroom/db/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { classroom, type Classroom } from '../testing/classroom.ts';
import { act, ACTION_WEIGHTS, busyCourse, type RandomAction } from '../testing/random-actions.ts';
import { witness } from '../testing/witness.ts';
import type { Activity } from './contract.ts';

const ACTIONS = 10_000;
const AT_A_TIME = 8;
const STUDENTS = 60;
const COURSES = 3;

const randomAction = fc.record<RandomAction>({
  name: fc.oneof(
    ...Object.entries(ACTION_WEIGHTS).map(([name, weight]) => ({
      arbitrary: fc.constant(name as RandomAction['name']),
      weight,
    })),
  ),
  student: fc.nat(STUDENTS - 1),
  course: fc.nat(COURSES - 1),
  number: fc.nat(9_999),
});

/** Three courses in which 60 students have done all kinds of things, eight at a time. */
async function school(room: Classroom) {
  const { db } = room;
  const teacher = await db.a.instructor();
  const courses = await Promise.all(Array.from({ length: COURSES }, () => busyCourse(db, teacher)));
  const students = await Promise.all(Array.from({ length: STUDENTS }, () => db.a.student()));
  await witness(db);
  const queue = fc.sample(randomAction, { numRuns: ACTIONS, seed: 20_261_121 });
  const work = async () => {
    for (let action = queue.pop(); action; action = queue.pop()) {
      const [student, course] = [students[action.student], courses[action.course]];
      if (!student || !course) throw new Error('No such student or course');
      await act(db, { teacher: teacher.id, student: student.id }, course, action);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return { teacher, courses, students };
}

const differences = async ({ sql }: TestDatabase) => [
  ...(await sql`select * from private.check_course_stats()`),
];

/** The funnel of a course, counted one row after the other. */
async function plainFunnel({ sql }: TestDatabase, courseId: string) {
  const lessons = await sql<{ id: string }[]>`
    select lessons.id from lessons join modules on modules.id = module_id
    where course_id = ${courseId} and is_required and lessons.is_published
    order by modules.position, lessons.position`;
  const done = await sql<{ lesson_id: string; user_id: string; seconds: number }[]>`
    select lesson_id, user_id, time_spent_seconds as seconds
    from lesson_completions order by completed_at`;
  const active = await sql<{ user_id: string }[]>`
    select user_id from enrollments where course_id = ${courseId} and status = 'active'`;
  const counted = done.filter((one) => lessons.some(({ id }) => id === one.lesson_id));
  const lastOf = new Map(counted.map((one) => [one.user_id, one.lesson_id]));
  return lessons.map(({ id }) => {
    const seconds = counted.filter((one) => one.lesson_id === id).map((one) => one.seconds);
    return {
      lessonId: id,
      completed: seconds.length,
      stopped: active.filter((one) => lastOf.get(one.user_id) === id).length,
      medianSeconds: medianOf(seconds),
    };
  });
}

function medianOf(numbers: number[]): number | null {
  const sorted = numbers.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

it('keeps figures, feed and funnel equal to plain SQL through 10,000 random actions', async () => {
  await using room = await classroom({ rateLimits: { query: 10_000, mutation: 10_000 } });
  const { db } = room;
  const { sql } = db;
  const { teacher, courses, students } = await school(room);
  const { activity } = await room.as(teacher);

  // Before and after the job has counted: figures are exact at any moment.
  expect(await differences(db)).toEqual([]);
  await sql`select private.count_course_stats()`;
  expect(await differences(db)).toEqual([]);

  for (const { id } of courses) {
    const { data: stats } = await activity.stats.query({ courseId: id });
    const [plain] = await sql`
      select
        (select count(*)::integer from enrollments where course_id = ${id} and status <> 'cancelled') as "totalEnrollments",
        (select count(*)::integer from enrollments where course_id = ${id} and status = 'completed') as "completedCount",
        (select count(*)::integer from course_reviews where course_id = ${id}) as "ratingCount",
        (select round(avg(rating), 2)::float8 from course_reviews where course_id = ${id}) as "averageRating"`;
    expect(stats).toMatchObject(plain ?? {});
    expect(stats.completedCount).toBeGreaterThan(0);

    const items: Activity[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page = await activity.feed.query({
        courseId: id,
        limit: 100,
        ...(cursor && { cursor }),
      });
      items.push(...page.data.items);
      cursor = page.data.nextCursor;
    }
    const rows = await sql`
      select id from student_activity where course_id = ${id} order by created_at desc, id desc`;
    expect(items.map((item) => item.id)).toEqual(rows.map((row) => String(row.id)));

    const day = new Date().toISOString().slice(0, 10);
    const period = { from: '2026-01-01', to: day, timeZone: 'UTC' };
    const { funnel, days } = await activity.analytics.query({ courseId: id, ...period });
    expect(
      funnel.map(({ lessonId, completed, stopped, medianSeconds }) => ({
        ...{ lessonId, completed, stopped, medianSeconds },
      })),
    ).toEqual(await plainFunnel(db, id));
    const enrolled = items.filter(({ type }) => type === 'enrolled').length;
    expect(days.reduce((sum, each) => sum + each.enrolled, 0)).toBe(enrolled);
  }

  const tally = (table: string) =>
    sql.unsafe(`
      select course_id, activity_type, user_id, count(*)::integer as count
      from ${table} group by 1, 2, 3 order by 1, 2, 3`);
  const happened = [...(await tally('witnessed'))];
  expect([...(await tally('student_activity'))]).toEqual(happened);
  expect(new Set(happened.map((row) => String(row.activity_type)))).toHaveLength(9);

  const byQuarter = await sql`
    select course_id, activity_type, sum(count)::integer as count, sum(amount)::integer as amount
    from course_activity_hours group by 1, 2 order by 1, 2`;
  const plainly = await sql`
    select
      course_id, activity_type, count(*)::integer as count,
      coalesce(sum(coalesce((data ->> 'rating')::integer, (data ->> 'amount_cents')::integer)), 0)::integer as amount
    from student_activity group by 1, 2 order by 1, 2`;
  expect([...byQuarter]).toEqual([...plainly]);

  await sql`delete from auth.users where id = any (${students.slice(0, 9).map(({ id }) => id)})`;
  expect(await differences(db)).toEqual([]);
}, 120_000);
