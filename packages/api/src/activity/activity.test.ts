import { expect, it } from 'vitest';
import { classroom, refusal, type Classroom } from '../testing/classroom.ts';
import { analyticsSchema, feedOutput, overviewOutput, statsOutput } from './contract.ts';

async function setUp(room: Classroom) {
  const instructor = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(instructor);
  const module = await room.db.a.module(course, 1);
  const student = await room.db.a.student().enrolledIn(course);
  return { instructor, course, student, lessonId: module.lessonIds[0] ?? '' };
}

it('gives the figures and the feed of a course at once, in the shapes of the contract', async () => {
  await using room = await classroom();
  const { instructor, course, student, lessonId } = await setUp(room);
  await (await room.as(student)).progress.completeLesson.mutate({ lessonId });
  const { activity } = await room.as(instructor);

  const stats = await activity.stats.query({ courseId: course.id });
  expect(statsOutput.safeParse(stats).error).toBeUndefined();
  expect(stats.data).toMatchObject({ totalEnrollments: 1, completedCount: 1, averageRating: null });

  const first = await activity.feed.query({ limit: 2 });
  expect(feedOutput.safeParse(first).error).toBeUndefined();
  const rest = await activity.feed.query({
    courseId: course.id,
    cursor: first.data.nextCursor ?? '',
  });
  expect(rest.cursor.topic).toBe(`course:${course.id}:staff`);
  const types = [...first.data.items, ...rest.data.items].map(({ type }) => type);
  expect(types.toSorted()).toEqual([
    'completed_course',
    'completed_lesson',
    'completed_module',
    'enrolled',
  ]);
});

it('says what needs attention, and only to who teaches', async () => {
  await using room = await classroom();
  const { instructor, course, student } = await setUp(room);
  const { sql } = room.db;
  const quiz = await room.db.a.module(course, [
    {
      kind: 'quiz',
      title: 'The hard one',
      quiz: {
        passPercent: 50,
        attemptsMax: null,
        questions: [
          {
            id: 'q1',
            kind: 'short',
            prompt: 'What?',
            points: 1,
            explanation: '',
            accepted: ['this'],
          },
        ],
      },
    },
  ]);
  const idle = await room.db.a.student().enrolledIn(course);
  await sql`alter table enrollments disable trigger touch_updated_at`;
  await sql`
    update enrollments set progress = 20, updated_at = now() - interval '20 days'
    where user_id = ${idle.id}`;
  await sql`
    insert into lesson_progress (user_id, lesson_id, attempts, best_score)
    values (${student.id}, ${quiz.lessonIds[0] ?? ''}, 3, 20)`;
  await sql`
    insert into discussion_threads (course_id, title, created_by)
    values (${course.id}, 'Why so?', ${student.id}), (${course.id}, 'Welcome', ${instructor.id})`;
  await sql`
    insert into workshops (course_id, title, starts_at, ends_at)
    values (${course.id}, 'Now', now() - interval '1 minute', now() + interval '1 minute')`;
  await sql`select private.count_course_stats()`;

  const overview = await (await room.as(instructor)).activity.overview.query({});
  expect(overviewOutput.safeParse(overview).error).toBeUndefined();
  const { attention, courses, days, hours } = overview.data;
  expect(attention.questions).toMatchObject({ count: 1, items: [{ title: 'Why so?' }] });
  expect(attention.stuck).toMatchObject({ count: 1, items: [{ lessonTitle: 'The hard one' }] });
  expect(attention.inactive).toMatchObject({ count: 1, items: [{ userId: idle.id }] });
  expect(attention.workshops).toMatchObject([{ title: 'Now', registeredCount: 0 }]);
  expect(courses).toMatchObject([{ id: course.id, stats: { totalEnrollments: 2 } }]);
  expect(days.at(-1)).toMatchObject({ enrolled: 2 });
  expect(hours).toHaveLength(24);

  const other = (await room.as(await room.db.a.instructor())).activity;
  expect((await other.overview.query({})).data.courses).toEqual([]);
  expect((await other.feed.query({})).data.items).toEqual([]);
  expect((await other.feed.query({ courseId: course.id })).data.items).toEqual([]);
  for (const call of [
    () => other.stats.query({ courseId: course.id }),
    () => other.overview.query({ courseId: course.id }),
  ]) {
    expect(await refusal(call())).toMatchObject({ appCode: 'COURSE_NOT_FOUND' });
  }
  const { activity: theirs } = await room.as(student);
  expect(await refusal(theirs.overview.query({}))).toMatchObject({ appCode: 'ROLE_FORBIDDEN' });
});

it('begins and ends the reader’s days where the reader is', async () => {
  await using room = await classroom();
  const { instructor, course, student } = await setUp(room);
  const { sql } = room.db;
  await sql`update users set time_zone = 'Asia/Kolkata' where id = ${instructor.id}`;
  const [there = { first: '', tomorrow: '' }] = await sql<{ first: string; tomorrow: string }[]>`
    select
      ((now() at time zone 'Asia/Kolkata')::date - 13)::timestamp at time zone 'Asia/Kolkata' as first,
      ((now() at time zone 'Asia/Kolkata')::date + 1)::timestamp at time zone 'Asia/Kolkata' as tomorrow`;
  await sql`
    insert into student_activity (user_id, course_id, activity_type, created_at)
    values
      (${student.id}, ${course.id}, 'enrolled', ${there.first}),
      (${student.id}, ${course.id}, 'enrolled', ${there.first}::timestamptz - interval '1 second')`;
  await sql`
    insert into workshops (course_id, title, starts_at, ends_at)
    values (${course.id}, 'Tomorrow', ${there.tomorrow}, ${there.tomorrow}::timestamptz + interval '1 hour')`;
  await sql`select private.recount_courses()`;
  const { data } = await (await room.as(instructor)).activity.overview.query({});
  expect(data.days.map(({ enrolled }) => enrolled)).toEqual([1, ...Array<number>(12).fill(0), 1]);
  expect(data.attention.workshops).toEqual([]);
});

it('counts for charts what the rows say, in the zone that is asked for', async () => {
  await using room = await classroom();
  const { instructor, course, student, lessonId } = await setUp(room);
  const { sql } = room.db;
  await (await room.as(student)).progress.completeLesson.mutate({ lessonId });
  await sql`
    insert into course_reviews (user_id, course_id, rating, created_at)
    values (${student.id}, ${course.id}, 4, '2026-03-01T23:30:00Z')`;
  // Half past eleven at night in London is tomorrow in Berlin.
  await sql`
    insert into student_activity (user_id, course_id, activity_type, created_at)
    values (${student.id}, ${course.id}, 'enrolled', '2026-03-01T23:30:00Z')`;
  await sql`select private.recount_courses()`;
  const { activity } = await room.as(instructor);
  const march = { courseId: course.id, from: '2026-03-01', to: '2026-03-02' };
  const berlin = await activity.analytics.query({ ...march, timeZone: 'Europe/Berlin' });
  const london = await activity.analytics.query({ ...march, timeZone: 'Europe/London' });
  expect(analyticsSchema.safeParse(berlin).error).toBeUndefined();
  expect(berlin.days.map(({ enrolled }) => enrolled)).toEqual([0, 1]);
  expect(london.days.map(({ enrolled }) => enrolled)).toEqual([1, 0]);
  expect(berlin.hours[0]?.count).toBe(1);
  expect(london.hours[23]?.count).toBe(1);
  expect(london.ratings[3]).toEqual({ rating: 4, count: 1 });

  // India is five and a half hours ahead of London, Nepal a quarter of an hour more.
  await sql`
    insert into student_activity (user_id, course_id, activity_type, created_at)
    select ${student.id}, ${course.id}, 'enrolled', moment::timestamptz
    from unnest(array['2026-03-09T17:50:00Z', '2026-03-09T18:20:00Z', '2026-03-09T18:40:00Z']) as moment`;
  await sql`select private.recount_courses()`;
  const ninth = { courseId: course.id, from: '2026-03-09', to: '2026-03-10' };
  for (const [timeZone, first, second] of [
    ['Asia/Kolkata', 2, 1],
    ['Asia/Kathmandu', 1, 2],
  ] as const) {
    const there = await activity.analytics.query({ ...ninth, timeZone });
    expect(there.days.map(({ enrolled }) => enrolled)).toEqual([first, second]);
    expect([there.hours[23]?.count, there.hours[0]?.count]).toEqual([first, second]);
  }

  const today = new Date().toISOString().slice(0, 10);
  const now = { courseId: course.id, from: today, to: today, timeZone: 'UTC' };
  expect((await activity.analytics.query(now)).funnel).toMatchObject([
    { lessonId, completed: 1, stopped: 0, medianSeconds: 0 },
  ]);
  const file = await activity.analyticsFile.query({ ...now, chart: 'funnel' });
  expect(file.csv).toContain('Lesson 3.1,1,0,0,600');

  const wrongZone = activity.analytics.query({ ...now, timeZone: 'Mars/Olympus' });
  expect(await refusal(wrongZone)).toMatchObject({ appCode: 'INPUT_INVALID' });
  const other = (await room.as(await room.db.a.instructor())).activity;
  expect(await refusal(other.analytics.query(now))).toMatchObject({ appCode: 'COURSE_NOT_FOUND' });
});
