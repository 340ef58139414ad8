import type { Quiz, QuizQuestion } from '../catalog/tables.ts';
import type { Journey } from './journeys.ts';
import { idOf, randomOf, type Random } from './random.ts';
import type { Rows } from './rows.ts';
import { iso, MINUTE_MS } from './time.ts';

/** An answer, right or wrong. */
function answerTo(question: QuizQuestion, isRight: boolean, random: Random): string[] | string {
  if (question.kind === 'short') {
    return isRight ? random.pick(question.accepted) : 'I am not sure';
  }
  if (isRight) return question.correct;
  return [question.choices.find(({ id }) => !question.correct.includes(id))?.id ?? ''];
}

/** An attempt: the questions in `missed` answered wrong. */
function attemptAt(quiz: Quiz, missed: ReadonlySet<string>, random: Random) {
  const isRight = ({ id }: QuizQuestion) => !missed.has(id);
  const points = (questions: QuizQuestion[]) =>
    questions.reduce((sum, question) => sum + question.points, 0);
  const score = (100 * points(quiz.questions.filter(isRight))) / points(quiz.questions);
  return {
    answers: Object.fromEntries(
      quiz.questions.map((one) => [one.id, answerTo(one, isRight(one), random)]),
    ),
    results: Object.fromEntries(quiz.questions.map((one) => [one.id, isRight(one)])),
    score: Math.round(score * 100) / 100,
    isPassed: score >= quiz.passPercent,
  };
}

/** The attempts of a student who passes in the end: mostly the first, else the second. */
function attemptsAt(quiz: Quiz, random: Random) {
  const missed = quiz.questions.filter(() => random.chance(0.3)).map(({ id }) => id);
  const first = attemptAt(quiz, new Set(missed), random);
  return first.isPassed ? [first] : [first, attemptAt(quiz, new Set(), random)];
}

/** Writes how the quizzes on everybody's way went, and where they are in the lesson that comes next. */
export function addAttempts(rows: Rows, journeys: Journey[], now: number) {
  for (const { student, course, lessons } of journeys) {
    const path = course.modules.flatMap((module) => module.lessons).filter((l) => l.isPublished);
    for (const { lessonId, at, seconds } of lessons) {
      const quiz = path.find(({ id }) => id === lessonId)?.quiz;
      const random = randomOf(`quiz ${student.email} ${lessonId}`);
      const attempts = quiz ? attemptsAt(quiz, random) : [];
      attempts.forEach((attempt, index) => {
        rows.quizAttempts.push({
          ...attempt,
          id: idOf('attempt', student.id, lessonId, index),
          userId: student.id,
          lessonId,
          number: index + 1,
          revision: 1,
          submittedAt: iso(at - (attempts.length - 1 - index) * 4 * MINUTE_MS),
        });
      });
      rows.lessonProgress.push({
        userId: student.id,
        lessonId,
        place: 1,
        timeSpentSeconds: seconds,
        attempts: attempts.length,
        bestScore: quiz ? Math.max(...attempts.map(({ score }) => score)) : null,
        updatedAt: iso(at),
      });
    }
    const next = path.find(({ id }) => !lessons.some(({ lessonId }) => lessonId === id));
    const last = lessons.at(-1);
    if (!next || !last || next.kind === 'quiz') continue;
    rows.lessonProgress.push({
      userId: student.id,
      lessonId: next.id,
      place: 0.35,
      timeSpentSeconds: 100,
      updatedAt: iso(Math.min(last.at + 10 * MINUTE_MS, now)),
    });
  }
}
