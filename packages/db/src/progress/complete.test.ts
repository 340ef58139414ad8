import { describe, expect, it } from 'vitest';
import type { BuiltCourse, BuiltUser, TestDatabase } from '../testing/index.ts';
import { testDatabase } from '../testing/index.ts';

type Completion = {
  isNew: boolean;
  isModuleCompleted: boolean;
  isCourseCompleted: boolean;
  certificate: { serialNumber: string } | null;
  achievements: { key: string }[];
  points: number;
  progress: { doneCount: number; requiredCount: number; progressPercent: number; status: string };
};

const complete = (db: TestDatabase, student: BuiltUser, lessonId: string, seconds = 0) =>
  db.as(student, async (tx) => {
    const [row] = await tx<{ done: Completion }[]>`
      select public.complete_lesson(${lessonId}, ${seconds}) as done`;
    return row?.done as Completion;
  });

/** What a completion writes, all of it, to be compared. */
async function allThereIs(db: TestDatabase): Promise<unknown> {
  const tables = [
    'public.lesson_completions',
    'public.module_completions',
    'public.enrollments',
    'public.certificates',
    'public.learning_stats',
    'public.lesson_progress',
    'public.point_entries',
    'public.user_achievements',
    'public.student_activity',
    'public.notifications',
    'private.leaderboard_scores',
    'private.live_events',
    'private.live_topics',
  ];
  const all: Record<string, unknown> = {};
  for (const table of tables) {
    const [row] = await db.sql.unsafe(
      `select coalesce(jsonb_agg(row order by row::text), '[]') as rows from ${table} as row`,
    );
    all[table] = row?.['rows'];
  }
  return all;
}

async function setUp(db: TestDatabase, lessons: number) {
  const instructor = await db.a.instructor();
  const course = await db.a.course().taughtBy(instructor);
  const module = await db.a.module(course, lessons);
  const student = await db.a.student().enrolledIn(course);
  return { instructor, course, module, student };
}

const eventsOf = async (db: TestDatabase, topic: string) =>
  (
    await db.sql<{ event: string }[]>`
      select event from private.live_events where topic = ${topic} order by seq`
  ).map(({ event }) => event);

const notificationsOf = (db: TestDatabase, user: BuiltUser) =>
  db.sql<{ type: string; title: string; count: number }[]>`
    select type, title, count from public.notifications where user_id = ${user.id}
    order by created_at, id`;

async function enrollmentOf(db: TestDatabase, student: BuiltUser, course: BuiltCourse) {
  const [row] = await db.sql<{ status: string; progress: number; completed_at: string | null }[]>`
    select status, progress, completed_at from public.enrollments
    where user_id = ${student.id} and course_id = ${course.id}`;
  return row;
}

describe('completing a lesson', () => {
  it('goes all the way from the lesson to the certificate', async () => {
    await using db = await testDatabase();
    const { instructor, course, module, student } = await setUp(db, 2);
    const [first = '', last = ''] = module.lessonIds;

    expect(await complete(db, student, first)).toMatchObject({
      isNew: true,
      isCourseCompleted: false,
      certificate: null,
      achievements: [{ key: 'first_lesson' }],
      points: 5,
      progress: { doneCount: 1, requiredCount: 2, progressPercent: 50, status: 'active' },
    });
    expect(await complete(db, student, last)).toMatchObject({
      isModuleCompleted: true,
      isCourseCompleted: true,
      certificate: { serialNumber: expect.stringMatching(/^HR-[0-9A-F]{32}$/) as string },
      achievements: [{ key: 'first_course' }],
      points: 175,
      progress: { doneCount: 2, requiredCount: 2, progressPercent: 100, status: 'completed' },
    });

    expect(await enrollmentOf(db, student, course)).toMatchObject({
      status: 'completed',
      progress: 100,
      completed_at: expect.any(String) as string,
    });
    expect(await notificationsOf(db, student)).toMatchObject([
      { type: 'achievement', title: 'Achievement Unlocked!' },
      { type: 'certificate', title: 'Course Completed!' },
    ]);
    expect(await notificationsOf(db, instructor)).toMatchObject([
      { type: 'enrollment' },
      { type: 'course_completion', count: 1 },
    ]);
    expect(await eventsOf(db, `user:${student.id}`)).toEqual([
      'enrollment.created',
      'achievement.earned',
      'lesson.completed',
      'notification.created',
      'achievement.earned',
      'lesson.completed',
      'certificate.issued',
      'notification.created',
    ]);
    expect(await eventsOf(db, `course:${course.id}:staff`)).toEqual(
      expect.arrayContaining(['activity.created', 'progress.changed']),
    );
  });

  it('changes nothing by a repeat', async () => {
    await using db = await testDatabase();
    const { module, student } = await setUp(db, 2);
    for (const lesson of module.lessonIds) await complete(db, student, lesson);
    const before = await allThereIs(db);
    for (const lesson of module.lessonIds) {
      expect(await complete(db, student, lesson)).toMatchObject({
        isNew: false,
        isCourseCompleted: false,
        points: 0,
      });
    }
    expect(await allThereIs(db)).toEqual(before);
  });

  it('gives one of everything to a hundred completions at the same time', async () => {
    await using db = await testDatabase();
    const { instructor, course, module, student } = await setUp(db, 3);
    const [first = '', ...lastTwo] = module.lessonIds;
    await complete(db, student, first);

    const done = await Promise.all(
      Array.from({ length: 100 }, (_, at) => complete(db, student, lastTwo[at % 2] ?? '')),
    );
    expect(done.filter(({ isNew }) => isNew)).toHaveLength(2);
    expect(done.filter(({ isCourseCompleted }) => isCourseCompleted)).toHaveLength(1);
    expect(done.filter(({ certificate }) => certificate)).toHaveLength(1);

    const [counts] = await db.sql`
      select
        (select count(*)::int from certificates) as certificates,
        (select count(*)::int from module_completions) as modules,
        (select courses_completed from learning_stats) as courses,
        (select lessons_completed from learning_stats) as lessons,
        (select sum(tenths)::int from point_entries) as tenths,
        (select score from private.leaderboard_scores where board = 'global') as score,
        (select score from private.leaderboard_scores where board = ${course.id}) as in_course,
        (select count(*)::int from private.leaderboard_scores) as boards`;
    // 5 and 25 for the two achievements, 100 for the course, 50 for the certificate.
    expect(counts).toEqual({
      certificates: 1,
      modules: 1,
      courses: 1,
      lessons: 3,
      tenths: 1800,
      score: 1800,
      in_course: 1500,
      boards: 3,
    });
    expect((await notificationsOf(db, student)).map(({ type }) => type)).toEqual([
      'achievement',
      'lesson_completion',
      'certificate',
    ]);
    const told = (await notificationsOf(db, instructor)).map(({ type }) => type);
    expect(told.filter((type) => type === 'course_completion')).toHaveLength(1);
    const events = await eventsOf(db, `user:${student.id}`);
    expect(events.filter((event) => event === 'lesson.completed')).toHaveLength(3);
    expect(events.filter((event) => event === 'certificate.issued')).toHaveLength(1);
  }, 60_000);

  it.each([
    'public.lesson_completions',
    'public.module_completions',
    'public.enrollments',
    'public.certificates',
    'public.learning_stats',
    'public.lesson_progress',
    'public.point_entries',
    'private.leaderboard_scores',
    'public.user_achievements',
    'public.student_activity',
    'private.live_flushes',
    'private.live_topics',
  ])('leaves nothing when writing %s fails', async (table) => {
    await using db = await testDatabase();
    const { module, student } = await setUp(db, 1);
    const before = await allThereIs(db);
    await db.sql.unsafe(`
      create function private.fail() returns trigger language plpgsql as
        $$ begin raise exception 'the test says so'; end; $$;
      create trigger zz_fail after insert or update on ${table}
        for each row execute function private.fail();`);
    const completing = complete(db, student, module.lessonIds[0] ?? '', 60);
    await expect(completing).rejects.toThrow('the test says so');
    await db.sql.unsafe(`drop trigger zz_fail on ${table}`);
    expect(await allThereIs(db)).toEqual(before);
    expect(await complete(db, student, module.lessonIds[0] ?? '', 60)).toMatchObject({
      isNew: true,
      isCourseCompleted: true,
    });
  });

  it('counts: 199 of 200 lessons are 99 %, and no certificate', async () => {
    await using db = await testDatabase();
    const { course, module, student } = await setUp(db, 200);
    const last = module.lessonIds.at(-1) ?? '';
    await db.sql`
      insert into public.lesson_completions (user_id, lesson_id)
      select ${student.id}, id from public.lessons where id <> ${last} and position < 199`;
    const almost = await complete(db, student, module.lessonIds[198] ?? '');
    expect(almost.progress).toMatchObject({ doneCount: 199, progressPercent: 99 });
    expect(await enrollmentOf(db, student, course)).toMatchObject({ status: 'active' });
    expect(await complete(db, student, last)).toMatchObject({ isCourseCompleted: true });
  });

  it('is held up by no empty module, no optional lesson and no draft', async () => {
    await using db = await testDatabase();
    const { course, module, student } = await setUp(db, 1);
    await db.a.module(course, 0);
    await db.a.module(course, [{ isRequired: false }, { isPublished: false }]);
    expect(await complete(db, student, module.lessonIds[0] ?? '')).toMatchObject({
      isCourseCompleted: true,
    });
  });

  it('never completes a course in which nothing is required', async () => {
    await using db = await testDatabase();
    const course = await db.a.course();
    const module = await db.a.module(course, [{ isRequired: false }]);
    const student = await db.a.student().enrolledIn(course);
    expect(await complete(db, student, module.lessonIds[0] ?? '')).toMatchObject({
      isNew: true,
      isModuleCompleted: false,
      isCourseCompleted: false,
      progress: { requiredCount: 0, progressPercent: 0 },
    });
  });

  it('is refused with the reason', async () => {
    await using db = await testDatabase();
    const { course, module, student } = await setUp(db, 1);
    const stranger = await db.a.student();
    const hidden = await db.a.module(course, [{ isPublished: false }]);
    const draft = await db.a.course({ status: 'draft' });
    const inDraft = await db.a.module(draft, 1);
    await db.sql`insert into enrollments (user_id, course_id) values (${student.id}, ${draft.id})`;
    const [lesson = ''] = module.lessonIds;

    await expect(complete(db, stranger, lesson)).rejects.toThrow('ENROLLMENT_REQUIRED');
    await expect(complete(db, student, hidden.lessonIds[0] ?? '')).rejects.toThrow(
      'LESSON_UNPUBLISHED',
    );
    await expect(complete(db, student, inDraft.lessonIds[0] ?? '')).rejects.toThrow(
      'LESSON_UNPUBLISHED',
    );
    await expect(complete(db, student, course.id)).rejects.toThrow('LESSON_NOT_FOUND');
    await db.sql`update enrollments set status = 'cancelled' where user_id = ${student.id}`;
    await expect(complete(db, student, lesson)).rejects.toThrow('ENROLLMENT_REQUIRED');
    const nobody = db.as(null, (tx) => tx`select public.complete_lesson(${lesson})`);
    await expect(nobody).rejects.toThrow('permission denied');
  });

  it('counts days in the time zone of the student', async () => {
    await using db = await testDatabase();
    const { module, student } = await setUp(db, 3);
    const [first = '', second = '', third = ''] = module.lessonIds;
    const streak = async () => {
      const [row] = await db.sql`
        select current_streak_days as now, longest_streak_days as longest from learning_stats`;
      return row;
    };
    await db.sql`update users set time_zone = 'Pacific/Kiritimati' where id = ${student.id}`;
    await complete(db, student, first);
    expect(await streak()).toEqual({ now: 1, longest: 1 });
    const [{ isToday = false } = {}] = await db.sql<{ isToday: boolean }[]>`
      select last_active_day = (now() at time zone 'Pacific/Kiritimati')::date as "isToday"
      from learning_stats`;
    expect(isToday).toBe(true);
    await db.sql`update learning_stats set last_active_day = last_active_day - 1`;
    await complete(db, student, second);
    expect(await streak()).toEqual({ now: 2, longest: 2 });
    await db.sql`update learning_stats set last_active_day = last_active_day - 2`;
    await complete(db, student, third);
    expect(await streak()).toEqual({ now: 1, longest: 2 });
  });

  it('counts no more time than went by, and no more than the lesson can take', async () => {
    await using db = await testDatabase();
    const { module, student } = await setUp(db, 2);
    const [first = '', second = ''] = module.lessonIds;
    const report = (lesson: string, seconds: number) =>
      db.as(student, async (tx) => {
        const [row] = await tx<{ credited: number }[]>`
          select public.report_time(${lesson}, ${seconds}, 0.5) as credited`;
        return row?.credited;
      });
    expect(await report(first, 100_000)).toBe(120);
    expect(await report(second, 100)).toBeLessThan(10);
    expect(await report(first, -5)).toBe(0);
    await db.sql`update lesson_progress set time_spent_seconds = 100000`;
    await complete(db, student, first);
    const [row] = await db.sql`
      select total_time_spent, (select tenths from point_entries where reason = 'time') as tenths
      from learning_stats`;
    expect(row).toEqual({ total_time_spent: 30, tenths: 30 });
  });
});
