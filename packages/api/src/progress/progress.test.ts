import { expect, it } from 'vitest';
import { classroom, refusal, type Classroom } from '../testing/classroom.ts';
import {
  completionSchema,
  courseOutput,
  progressEventSchemas,
  rosterEventSchemas,
  rosterOutput,
  statsOutput,
  submitQuizOutput,
} from './contract.ts';
import { rosterFile } from './roster-file.ts';

const QUIZ = {
  passPercent: 50,
  attemptsMax: 2,
  questions: [
    {
      id: 'q1',
      kind: 'short',
      prompt: 'What?',
      points: 1,
      explanation: 'So it is.',
      accepted: ['this'],
    },
  ],
};

async function setUp(room: Classroom) {
  const instructor = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(instructor);
  const module = await room.db.a.module(course, [{}, { kind: 'quiz', quiz: QUIZ }]);
  const student = await room.db.a.student().enrolledIn(course);
  const [text = '', quiz = ''] = module.lessonIds;
  return { instructor, course, module, student, text, quiz };
}

it('goes from the first lesson to the certificate, in the shapes of the contract', async () => {
  await using room = await classroom();
  const { course, student, text, quiz } = await setUp(room);
  const { progress } = await room.as(student);

  expect(await progress.reportTime.mutate({ lessonId: text, seconds: 90, place: 0.4 })).toEqual({
    creditedSeconds: 90,
  });
  const first = await progress.completeLesson.mutate({ lessonId: text });
  expect(completionSchema.safeParse(first).error).toBeUndefined();
  expect(first).toMatchObject({ isNew: true, progress: { doneCount: 1, requiredCount: 2 } });
  const half = await progress.course.query({ courseId: course.id });
  expect(courseOutput.safeParse(half).error).toBeUndefined();
  expect(half.data).toMatchObject({
    status: 'active',
    progressPercent: 50,
    lessons: [{ lessonId: text, attempts: 0, bestScore: null }],
    certificate: null,
  });

  const wrong = await progress.submitQuiz.mutate({
    lessonId: quiz,
    revision: 1,
    answers: { q1: 'that' },
  });
  expect(wrong).toMatchObject({ attempt: { isPassed: false }, attemptsLeft: 1, completion: null });
  expect(wrong.quiz.questions[0]).toEqual({ id: 'q1', kind: 'short', prompt: 'What?', points: 1 });
  const right = await progress.submitQuiz.mutate({
    lessonId: quiz,
    revision: 1,
    answers: { q1: 'This' },
  });
  expect(submitQuizOutput.safeParse(right).error).toBeUndefined();
  expect(right.completion).toMatchObject({ isCourseCompleted: true });

  const done = await progress.course.query({ courseId: course.id });
  expect(done.data).toMatchObject({
    status: 'completed',
    progressPercent: 100,
    certificate: { serialNumber: right.completion?.certificate?.serialNumber },
  });
  const stats = await progress.stats.query();
  expect(statsOutput.safeParse(stats).error).toBeUndefined();
  // The course, its certificate, the quiz, a minute and a half, and two achievements.
  expect(stats.data).toMatchObject({ coursesCompleted: 1, averageScore: 100, points: 190.1 });
});

it('tells on the student’s topic what the contract says', async () => {
  await using room = await classroom();
  const { course, instructor, student, text, quiz } = await setUp(room);
  const { progress, live } = await room.as(student);
  await progress.completeLesson.mutate({ lessonId: text });
  await progress.submitQuiz.mutate({ lessonId: quiz, revision: 1, answers: { q1: 'this' } });
  const expectKnown = (
    since: { status: string; events?: { event: string; data?: unknown }[] },
    schemas: object,
  ) => {
    const known = (since.events ?? []).filter(({ event }) => event in schemas);
    for (const { event, data } of known) {
      const schema = schemas[event as keyof typeof schemas] as typeof completionSchema;
      expect(schema.safeParse(data).error, event).toBeUndefined();
    }
    return known.map(({ event }) => event);
  };
  expect(
    expectKnown(
      await live.since.query({ topic: `user:${student.id}`, seq: 0 }),
      progressEventSchemas,
    ),
  ).toEqual(['lesson.completed', 'quiz.submitted', 'lesson.completed']);
  const staff = await room.as(instructor);
  expect(
    expectKnown(
      await staff.live.since.query({ topic: `course:${course.id}:staff`, seq: 0 }),
      rosterEventSchemas,
    ),
  ).toEqual(['progress.changed', 'scores.changed', 'certificate.issued', 'progress.changed']);
});

it('refuses with a reason that a person can act on', async () => {
  await using room = await classroom();
  const { course, student, text, quiz } = await setUp(room);
  const mine = (await room.as(student)).progress;
  const strangers = (await room.as(await room.db.a.student())).progress;
  const unknown = '00000000-0000-4000-8000-000000000000';
  const refused: [() => Promise<unknown>, number, string][] = [
    [() => strangers.completeLesson.mutate({ lessonId: text }), 403, 'ENROLLMENT_REQUIRED'],
    [() => strangers.course.query({ courseId: course.id }), 403, 'ENROLLMENT_REQUIRED'],
    [() => strangers.reportTime.mutate({ lessonId: text, seconds: 1 }), 403, 'ENROLLMENT_REQUIRED'],
    [() => mine.completeLesson.mutate({ lessonId: unknown }), 404, 'LESSON_NOT_FOUND'],
    [() => mine.completeLesson.mutate({ lessonId: quiz }), 409, 'QUIZ_NOT_PASSED'],
    [() => mine.submitQuiz.mutate({ lessonId: text, revision: 1, answers: {} }), 409, 'NOT_A_QUIZ'],
    [
      () => mine.submitQuiz.mutate({ lessonId: quiz, revision: 7, answers: {} }),
      409,
      'QUIZ_CHANGED',
    ],
    [() => mine.reportTime.mutate({ lessonId: text, seconds: -5 }), 400, 'INPUT_INVALID'],
    [() => mine.reportTime.mutate({ lessonId: text, seconds: 1e9 }), 400, 'INPUT_INVALID'],
    [() => mine.reportTime.mutate({ lessonId: text, seconds: 1, place: 2 }), 400, 'INPUT_INVALID'],
    [() => mine.completeLesson.mutate({ lessonId: 'no id' }), 400, 'INPUT_INVALID'],
    [() => mine.roster.query({ courseId: course.id }), 403, 'ROLE_FORBIDDEN'],
  ];
  for (const [call, httpStatus, appCode] of refused) {
    expect(await refusal(call())).toMatchObject({ httpStatus, appCode });
  }
});

it('shows the staff of a course its roster, page by page, and as a file', async () => {
  await using room = await classroom();
  const { course, instructor, student, text } = await setUp(room);
  const others = [];
  for (let made = 0; made < 3; made += 1) {
    others.unshift(await room.db.a.student({ firstName: '=1+1' }).enrolledIn(course));
  }
  await (await room.as(student)).progress.completeLesson.mutate({ lessonId: text });
  const { progress } = await room.as(instructor);
  const first = await progress.roster.query({ courseId: course.id, limit: 3 });
  expect(rosterOutput.safeParse(first).error).toBeUndefined();
  expect(first.data.items.map(({ userId }) => userId)).toEqual(others.map(({ id }) => id));
  const rest = await progress.roster.query({
    courseId: course.id,
    limit: 3,
    cursor: first.data.nextCursor ?? '',
  });
  expect(rest.data).toMatchObject({
    items: [{ userId: student.id, doneCount: 1, progressPercent: 50 }],
    nextCursor: null,
  });
  const { csv } = await progress.rosterFile.query({ courseId: course.id });
  expect(csv.split('\r\n')).toHaveLength(6);
  expect(csv).toContain("\r\n'=1+1 Number");
  const other = await room.as(await room.db.a.instructor());
  expect(await refusal(other.progress.roster.query({ courseId: course.id }))).toMatchObject({
    appCode: 'COURSE_NOT_FOUND',
  });
});

it('tells the staff what the roster shows, and when somebody comes or goes or is counted anew', async () => {
  await using room = await classroom();
  const { course, instructor, student, text, quiz } = await setUp(room);
  const mine = (await room.as(student)).progress;
  const staff = await room.as(instructor);
  const rosterOf = async () => (await staff.progress.roster.query({ courseId: course.id })).data;
  const topic = `course:${course.id}:staff`;
  const [before] = (await rosterOf()).items;
  await mine.completeLesson.mutate({ lessonId: text });
  await mine.submitQuiz.mutate({ lessonId: quiz, revision: 1, answers: {} });
  await mine.submitQuiz.mutate({ lessonId: quiz, revision: 1, answers: { q1: 'this' } });
  const [row] = (await rosterOf()).items;
  if (!row?.certificate) throw new Error('No certificate was issued');
  await staff.certificates.revoke.mutate({ certificateId: row.certificate.id, reason: 'Copied' });
  const since = await staff.live.since.query({ topic, seq: 0 });
  if (since.status !== 'events') throw new Error(since.status);
  const told = since.events.reduce<Record<string, unknown>>(
    (shown, { event, data }) => {
      if (!(event in rosterEventSchemas)) return shown;
      const {
        studentName: _,
        courseVersion: _version,
        ...news
      } = rosterEventSchemas[event as keyof typeof rosterEventSchemas].parse(data) as Record<
        string,
        unknown
      >;
      return { ...shown, ...news };
    },
    { ...before },
  );
  const [after] = (await rosterOf()).items;
  expect({ ...told, timeSpentSeconds: after?.timeSpentSeconds }).toEqual(after);

  await room.db.sql`update enrollments set status = 'cancelled' where user_id = ${student.id}`;
  await room.db.sql`update enrollments set status = 'active' where user_id = ${student.id}`;
  await room.db.sql`update lessons set is_required = false where id = ${quiz}`;
  await room.db.sql`delete from enrollments where user_id = ${student.id}`;
  const later = await staff.live.since.query({ topic, seq: since.head });
  if (later.status !== 'events') throw new Error(later.status);
  const known = later.events.filter(({ event }) => event in rosterEventSchemas);
  expect(known.map(({ event, data }) => [event, data])).toMatchObject([
    ['enrollment.changed', { userId: student.id, isEnrolled: false }],
    ['enrollment.changed', { userId: student.id, isEnrolled: true }],
    ['roster.reevaluated', {}],
    ['enrollment.changed', { userId: student.id, isEnrolled: false }],
  ]);
});

it('writes a file that holds quotes, commas and line breaks', () => {
  const row = {
    enrollmentId: '',
    userId: '',
    name: 'Ada "Countess", of\nLovelace',
    avatarUrl: null,
    status: 'active' as const,
    doneCount: 1,
    requiredCount: 2,
    progressPercent: 50,
    completedAt: null,
    enrolledAt: '2026-01-01T00:00:00.000000Z',
    lastActiveAt: null,
    timeSpentSeconds: 61,
    averageScore: null,
    quizzes: [],
    certificate: null,
  };
  expect(rosterFile([row]).split('\r\n')[1]).toBe(
    '"Ada ""Countess"", of\nLovelace",active,50,1,2,1,,2026-01-01T00:00:00.000000Z,,',
  );
});
