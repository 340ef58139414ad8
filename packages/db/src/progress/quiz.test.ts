import { describe, expect, it } from 'vitest';
import { testDatabase, type BuiltUser, type TestDatabase } from '../testing/index.ts';

const choices = [
  { id: 'a', text: 'One' },
  { id: 'b', text: 'Two' },
  { id: 'c', text: 'Three' },
];
const base = { points: 1, explanation: 'Because.' };
const QUIZ = {
  passPercent: 70,
  attemptsMax: 3 as number | null,
  questions: [
    { ...base, id: 'q1', kind: 'single', prompt: 'Which?', choices, correct: ['b'] },
    {
      ...base,
      id: 'q2',
      kind: 'multiple',
      prompt: 'Which?',
      choices,
      correct: ['a', 'c'],
      points: 2,
    },
    { ...base, id: 'q3', kind: 'short', prompt: 'Who?', accepted: ['George Eliot', 'Eliot'] },
  ],
};
const RIGHT = { q1: ['b'], q2: ['c', 'a'], q3: '  george   ELIOT ' };

type Submitted = {
  attempt: { score: number; isPassed: boolean; results: Record<string, boolean> };
  bestScore: number;
  attemptsLeft: number | null;
  quiz: { questions: Record<string, unknown>[] };
  completion: { isNew: boolean; isCourseCompleted: boolean } | null;
};

async function setUp(db: TestDatabase, quiz: object = QUIZ) {
  const course = await db.a.course().taughtBy(await db.a.instructor());
  const { lessonIds } = await db.a.module(course, [{ kind: 'quiz', quiz: { ...quiz } }]);
  const student = await db.a.student().enrolledIn(course);
  return { course, lesson: lessonIds[0] ?? '', student };
}

const submit = (
  db: TestDatabase,
  student: BuiltUser,
  lesson: string,
  answers: object,
  revision = 1,
) =>
  db.as(student, async (tx) => {
    const [row] = await tx<{ result: Submitted }[]>`
      select public.submit_quiz(${lesson}, ${revision}, ${JSON.stringify(answers)}::text::jsonb)
        as result`;
    return row?.result as Submitted;
  });

describe('a quiz', () => {
  it('is scored by the server, and completes its lesson when it is passed', async () => {
    await using db = await testDatabase();
    const { lesson, student } = await setUp(db);
    const completing = db.as(student, (tx) => tx`select public.complete_lesson(${lesson})`);
    await expect(completing).rejects.toThrow('QUIZ_NOT_PASSED');

    const half = await submit(db, student, lesson, { q1: ['b'], q2: ['a'], q3: 'eliot' });
    expect(half).toMatchObject({
      attempt: { score: 50, isPassed: false, results: { q1: true, q2: false, q3: true } },
      attemptsLeft: 2,
      completion: null,
    });
    expect(half.quiz.questions[0]).not.toHaveProperty('correct');
    const passed = await submit(db, student, lesson, RIGHT);
    expect(passed).toMatchObject({
      attempt: { score: 100, isPassed: true },
      bestScore: 100,
      completion: { isNew: true, isCourseCompleted: true },
    });
    expect(passed.quiz.questions[0]).toMatchObject({ correct: ['b'], explanation: 'Because.' });
    const [row] = await db.sql`
      select average_score, (select sum(tenths)::int from point_entries where reason = 'quiz') as tenths
      from learning_stats`;
    expect(row).toMatchObject({ tenths: 100 });
    expect(Number(row?.['average_score'])).toBe(100);
  });

  it('keeps the best score, and gives points for what is better than before only', async () => {
    await using db = await testDatabase();
    const { lesson, student } = await setUp(db, { ...QUIZ, attemptsMax: null });
    await submit(db, student, lesson, RIGHT);
    const worse = await submit(db, student, lesson, {});
    expect(worse).toMatchObject({ attempt: { score: 0 }, bestScore: 100, attemptsLeft: null });
    await submit(db, student, lesson, RIGHT);
    const entries = await db.sql`select tenths from point_entries where reason = 'quiz'`;
    expect([...entries]).toEqual([{ tenths: 100 }]);
  });

  it('counts no attempt beyond the last, also at the same moment', async () => {
    await using db = await testDatabase();
    const { lesson, student } = await setUp(db);
    const tries = await Promise.allSettled(
      Array.from({ length: 12 }, () => submit(db, student, lesson, { q1: ['a'] })),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    await expect(submit(db, student, lesson, RIGHT)).rejects.toThrow('ATTEMPTS_EXHAUSTED');
    const [page] = await db.as(
      student,
      (tx) => tx<{ page: { attemptsLeft: number; quiz: Submitted['quiz'] } }[]>`
        select public.lesson_page(${lesson}) as page`,
    );
    expect(page?.page.attemptsLeft).toBe(0);
    expect(page?.page.quiz.questions[2]).toMatchObject({ accepted: ['George Eliot', 'Eliot'] });
  });

  it('takes no answers to another revision than the one that is there', async () => {
    await using db = await testDatabase();
    const { lesson, student } = await setUp(db);
    await db.sql`update lessons set revision = 2 where id = ${lesson}`;
    await expect(submit(db, student, lesson, RIGHT, 1)).rejects.toThrow('QUIZ_CHANGED');
    expect(await submit(db, student, lesson, RIGHT, 2)).toMatchObject({ attemptsLeft: 2 });
  });

  it('gives its answers to no student before they may see them', async () => {
    await using db = await testDatabase();
    const { lesson, student } = await setUp(db);
    const columns = db.as(student, (tx) => tx`select quiz from public.lessons`);
    await expect(columns).rejects.toThrow('permission denied');
    const [row] = await db.as(
      student,
      (tx) => tx<{ page: unknown }[]>`select public.lesson_page(${lesson}) as page`,
    );
    expect(JSON.stringify(row?.page)).not.toMatch(/correct|accepted|Because/);
    const forging = db.as(
      student,
      (tx) => tx`
        insert into public.quiz_attempts (user_id, lesson_id, number, revision, answers, results, score, is_passed)
        values (${student.id}, ${lesson}, 1, 1, '{}', '{}', 100, true)`,
    );
    await expect(forging).rejects.toThrow('permission denied');
  });

  it.each([
    ['nothing', {}],
    ['answers that are no object', []],
    ['unknown questions', { nothing: ['a'] }],
    ['the wrong kinds of answers', { q1: 'b', q2: { a: 1 }, q3: ['George Eliot'] }],
  ])('gives no points for %s', async (_, answers) => {
    await using db = await testDatabase();
    const { lesson, student } = await setUp(db);
    if (Array.isArray(answers)) {
      await expect(submit(db, student, lesson, answers)).rejects.toThrow('INPUT_INVALID');
    } else {
      expect(await submit(db, student, lesson, answers)).toMatchObject({ attempt: { score: 0 } });
    }
  });

  it.each([
    ['no questions', { ...QUIZ, questions: [] }],
    ['no list of questions', { ...QUIZ, questions: 'many' }],
    ['an impossible limit', { ...QUIZ, attemptsMax: 0 }],
    ['an impossible score', { ...QUIZ, passPercent: 101 }],
    ['a word for a number', { ...QUIZ, passPercent: 'all' }],
    ['the same id twice', { ...QUIZ, questions: [QUIZ.questions[0], QUIZ.questions[0]] }],
    [
      'a correct answer that is no choice',
      { ...QUIZ, questions: [{ ...QUIZ.questions[0], correct: ['z'] }] },
    ],
    [
      'two correct answers where one may be',
      { ...QUIZ, questions: [{ ...QUIZ.questions[0], correct: ['a', 'b'] }] },
    ],
    ['no accepted text', { ...QUIZ, questions: [{ ...QUIZ.questions[2], accepted: [] }] }],
    ['another kind', { ...QUIZ, questions: [{ ...QUIZ.questions[0], kind: 'essay' }] }],
  ])('is refused with %s', async (_, quiz) => {
    await using db = await testDatabase();
    await expect(setUp(db, quiz)).rejects.toThrow('QUIZ_INVALID');
  });
});
