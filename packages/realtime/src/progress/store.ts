import type { Completion, CourseProgress, SubmittedQuiz } from '@homeroom/api/contract';
import { derived, type Readable } from 'svelte/store';
import type { QuizAnswers } from '../connection/api.ts';
import type { Connection } from '../connection/connection.ts';
import { toChangeError, type LiveError } from '../connection/errors.ts';
import { within } from '../connection/within.ts';
import { liveQuery, type LiveQueryState, type Snapshot } from '../live-query/live-query.ts';
import { apply, withLesson } from './apply.ts';

/** How far the student is in a course. */
export type CourseProgressState = Omit<LiveQueryState<unknown>, 'data'> & {
  progress: CourseProgress | undefined;
};

/** What came of a call: its answer, or why there is none. */
export type Outcome<Answer> = { answer: Answer } | { error: LiveError };

/** How far the student is in a course, live on all of their devices. */
export type CourseProgressStore = Readable<CourseProgressState> & {
  /**
   * Completes a lesson: it shows as done at once, and is taken back if that fails. `seconds` is the
   * time in it that wasn't reported yet.
   */
  completeLesson(lessonId: string, seconds?: number): Promise<Outcome<Completion>>;
  /** Hands in answers to a quiz. Nothing is shown before the server has scored them. */
  submitQuiz(answers: QuizAnswers): Promise<Outcome<SubmittedQuiz>>;
};

/**
 * How far the student is in a course, and in each of its lessons. `initial` is what
 * `progress.course` gave to the server-rendered page.
 */
export function courseProgress(
  connection: Connection,
  courseId: string,
  { initial }: { initial?: Snapshot<CourseProgress> } = {},
): CourseProgressStore {
  const api = connection.api.progress;
  const query = liveQuery<CourseProgress>({
    connection,
    topic: `user:${connection.userId}`,
    load: () => api.course.query({ courseId }),
    apply,
    initial,
  });
  const shown = derived(query, ({ data, ...state }) => ({ ...state, progress: data }));

  async function completeLesson(lessonId: string, seconds = 0): Promise<Outcome<Completion>> {
    const { clock } = connection.internals;
    const now = new Date(clock.now()).toISOString();
    let call: Promise<Completion> | undefined;
    const isDone = (progress: CourseProgress) =>
      progress.lessons.some((one) => one.lessonId === lessonId && one.completedAt !== null);
    await query.change({
      show: (progress) =>
        isDone(progress) ? progress : withLesson(progress, lessonId, { completedAt: now }),
      run: () => (call = api.completeLesson.mutate({ lessonId, seconds })),
      isConfirmed: isDone,
    });
    return outcomeOf(within(clock, call ?? Promise.reject(new Error('No call was made'))));
  }

  return {
    subscribe: (run) => shown.subscribe(run),
    completeLesson,
    submitQuiz: (answers) => outcomeOf(api.submitQuiz.mutate(answers)),
  };
}

async function outcomeOf<Answer>(call: Promise<Answer>): Promise<Outcome<Answer>> {
  try {
    return { answer: await call };
  } catch (error) {
    return { error: toChangeError(error) };
  }
}
