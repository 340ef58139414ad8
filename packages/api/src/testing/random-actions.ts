import type { TestDatabase } from '@homeroom/db/testing';

/** Everything that moves the figures, the feed or the funnel of a course, by how often it happens. */
export const ACTION_WEIGHTS = {
  enroll: 16,
  completeLesson: 30,
  answerQuiz: 8,
  review: 8,
  changeRating: 3,
  removeReview: 1,
  pay: 5,
  payByNobodyKnown: 1,
  refund: 2,
  register: 5,
  giveUpPlace: 1,
  checkIn: 5,
  undoCheckIn: 1,
  ask: 3,
  cancelEnrollment: 3,
  comeBack: 3,
  comeBackByService: 2,
  eraseEnrollment: 1,
  reopenEnrollment: 1,
  hideOrShowLesson: 1,
  requireOrNot: 1,
  count: 1,
} as const;

/** One action, of a student in a course; `number` is for what it needs besides. */
export type RandomAction = {
  name: keyof typeof ACTION_WEIGHTS;
  student: number;
  course: number;
  number: number;
};

/** A course in which things happen: what its lessons, its quiz and its workshop are. */
export type BusyCourse = { id: string; lessonIds: string[]; quizId: string; workshopId: string };

/** What a database may answer to an action that doesn't apply; anything else is a defect. */
const REFUSALS = new Set([
  'ENROLLMENT_REQUIRED',
  'LESSON_UNPUBLISHED',
  'LESSON_NOT_FOUND',
  'QUIZ_NOT_PASSED',
  'REGISTRATION_NOT_FOUND',
  'ALREADY_CHECKED_IN',
  'USER_NOT_FOUND',
  'WORKSHOP_NOT_FOUND',
]);

/** A published course with two modules, a quiz that can be passed, and a workshop of today. */
export async function busyCourse(db: TestDatabase, teacher: { id: string }): Promise<BusyCourse> {
  const course = await db.a.course().taughtBy(teacher);
  const first = await db.a.module(course, 3);
  const second = await db.a.module(course, [{}, { isRequired: false }, QUIZ]);
  const workshop = await db.a.workshop(course, { capacity: 10 });
  await db.sql`
    update workshops set starts_at = now() - interval '1 minute', ends_at = now() + interval '1 day'
    where id = ${workshop.id}`;
  const [quizId = ''] = second.lessonIds.slice(-1);
  return {
    id: course.id,
    lessonIds: [...first.lessonIds, ...second.lessonIds],
    quizId,
    workshopId: workshop.id,
  };
}

const QUIZ = {
  kind: 'quiz' as const,
  quiz: {
    passPercent: 50,
    attemptsMax: null,
    questions: [
      {
        ...{ id: 'q1', kind: 'short', prompt: 'What?', points: 1, explanation: '' },
        accepted: ['this'],
      },
    ],
  },
};

/** Does one action, as far as it applies. */
export async function act(
  db: TestDatabase,
  people: { teacher: string; student: string },
  course: BusyCourse,
  action: Pick<RandomAction, 'name' | 'number'>,
): Promise<void> {
  const { text, parameters } = statementOf(people, course, action);
  try {
    await db.sql.unsafe(text, parameters);
  } catch (error) {
    if (!(error instanceof Error) || !REFUSALS.has(error.message)) throw error;
  }
}

/** A call as a signed-in user, in one statement. */
const as = (call: string) =>
  `select case when set_config('request.jwt.claims', jsonb_build_object('sub', $1::text)::text, true) <> '' then ${call} end`;

function statementOf(
  { teacher, student }: { teacher: string; student: string },
  course: BusyCourse,
  { name, number }: Pick<RandomAction, 'name' | 'number'>,
): { text: string; parameters: (string | number)[] } {
  const here = 'user_id = $1 and course_id = $2';
  const inCourse = (text: string) => ({ text, parameters: [student, course.id] });
  const inWorkshop = (call: string, ...who: string[]) => ({
    text: as(call),
    parameters: [...who, course.workshopId],
  });
  const lessonId = course.lessonIds[number % course.lessonIds.length] ?? '';
  const rating = 1 + (number % 5);
  switch (name) {
    case 'enroll':
      return inCourse(
        'insert into enrollments (user_id, course_id) values ($1, $2) on conflict do nothing',
      );
    case 'completeLesson':
      return {
        text: 'select private.complete_lesson_for($1, $2, $3)',
        parameters: [student, lessonId, number % 300],
      };
    case 'answerQuiz':
      return {
        text: as(
          `submit_quiz($2, (select revision from lessons where id = $2), jsonb_build_object('q1', $3::text))`,
        ),
        parameters: [student, course.quizId, number % 3 === 0 ? 'this' : 'that'],
      };
    case 'review':
      return inCourse(
        `insert into course_reviews (user_id, course_id, rating) values ($1, $2, ${rating}) on conflict do nothing`,
      );
    case 'changeRating':
      return inCourse(`update course_reviews set rating = ${rating} where ${here}`);
    case 'removeReview':
      return inCourse(`delete from course_reviews where ${here}`);
    case 'pay':
      return inCourse(
        `insert into payments (user_id, course_id, amount_cents, currency, status) values ($1, $2, ${rating * 100}, '${number % 2 ? 'EUR' : 'SEK'}', 'succeeded')`,
      );
    case 'payByNobodyKnown':
      return {
        text: `insert into payments (course_id, amount_cents, status) values ($1, ${rating * 100}, 'succeeded')`,
        parameters: [course.id],
      };
    case 'refund':
      return inCourse(
        `update payments set status = 'refunded' where id = (select id from payments where ${here} and status = 'succeeded' limit 1)`,
      );
    case 'register':
      return inWorkshop('private.register_for_workshop($2::uuid)', student);
    case 'giveUpPlace':
      return inWorkshop('private.cancel_registration($2::uuid)', student);
    case 'checkIn':
      return inWorkshop('private.check_in_by_hand($3::uuid, $2::uuid)', teacher, student);
    case 'undoCheckIn':
      return inWorkshop(
        `private.undo_check_in($3::uuid, $2::uuid, 'by mistake')`,
        teacher,
        student,
      );
    case 'ask':
      return inCourse(
        `insert into discussion_threads (created_by, course_id, title) values ($1, $2, 'Why?')`,
      );
    case 'cancelEnrollment':
      return inCourse(`update enrollments set status = 'cancelled' where ${here}`);
    case 'comeBack':
      return inCourse(
        `update enrollments set status = 'active' where ${here} and status = 'cancelled'`,
      );
    case 'comeBackByService':
      return inCourse('select private.enroll_for($1, $2)');
    case 'eraseEnrollment':
      return inCourse(`delete from enrollments where ${here}`);
    case 'reopenEnrollment':
      return inCourse(
        `update enrollments set status = 'active' where ${here} and status = 'completed'`,
      );
    case 'hideOrShowLesson':
      return {
        text: 'update lessons set is_published = not is_published where id = $1',
        parameters: [lessonId],
      };
    case 'requireOrNot':
      return {
        text: 'update lessons set is_required = not is_required where id = $1',
        parameters: [lessonId],
      };
    case 'count':
      return { text: 'select private.count_course_stats()', parameters: [] };
  }
}
