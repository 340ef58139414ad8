import { expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing/index.ts';

async function differences({ sql }: TestDatabase) {
  return [...(await sql`select * from private.check_course_stats()`)];
}

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
