import type { Certificate, Completion, CourseCount, CourseProgress } from '@homeroom/api/contract';
import { expect, it } from 'vitest';
import { expectConvergence, shownBy, type Model } from '../testing/convergence.ts';
import type { ModelTopics } from '../testing/model-topics.ts';
import { notModelled } from '../testing/not-modelled.ts';
import { courseProgress } from './store.ts';

const COURSE = 'course-1';
const AT = '2026-01-01T00:00:00.000000Z';
const LESSONS = Array.from({ length: 8 }, (_, at) => `lesson-${at}`);
const moduleOf = (lessonId: string) => `module-${Number(lessonId.at(-1)) % 2}`;

/** A student on their way through a course, on some other device. */
function learning(topics: ModelTopics, userId: string) {
  const topic = `user:${userId}`;
  const state: CourseProgress = {
    courseId: COURSE,
    courseVersion: 1,
    status: 'active',
    doneCount: 0,
    requiredCount: LESSONS.length,
    progressPercent: 0,
    completedAt: null,
    enrolledAt: AT,
    lessons: [],
    completedModuleIds: [],
    certificate: null,
  };

  function lessonState(lessonId: string) {
    let lesson = state.lessons.find((one) => one.lessonId === lessonId);
    if (!lesson) {
      lesson = { lessonId, completedAt: null, attempts: 0, bestScore: null };
      state.lessons.push(lesson);
      state.lessons.sort((a, b) => (a.lessonId < b.lessonId ? -1 : 1));
    }
    return lesson;
  }
  const counted = (): CourseCount => ({
    courseVersion: state.courseVersion,
    status: state.status,
    doneCount: state.doneCount,
    requiredCount: state.requiredCount,
    progressPercent: state.progressPercent,
    completedAt: state.completedAt,
  });
  function issue(): Certificate {
    state.status = 'completed';
    state.completedAt = AT;
    state.certificate ??= {
      id: 'certificate-1',
      courseId: COURSE,
      serialNumber: 'HR-1',
      issuedAt: AT,
      revokedAt: null,
      revocationReason: null,
    };
    const certificate = { ...state.certificate, courseTitle: 'A course' };
    topics.publish(topic, 'certificate.issued', { certificate });
    return state.certificate;
  }

  function complete(lessonId: string): Completion {
    const lesson = lessonState(lessonId);
    const isNew = lesson.completedAt === null;
    if (isNew) {
      lesson.completedAt = AT;
      if (state.status === 'active') state.doneCount += 1;
      state.progressPercent = Math.floor((100 * state.doneCount) / state.requiredCount);
    }
    const ofModule = LESSONS.filter((id) => moduleOf(id) === moduleOf(lessonId));
    const isModuleDone = ofModule.every((id) =>
      state.lessons.some((one) => one.lessonId === id && one.completedAt !== null),
    );
    const moduleId = moduleOf(lessonId);
    const isModuleCompleted = isModuleDone && !state.completedModuleIds.includes(moduleId);
    if (isModuleCompleted)
      state.completedModuleIds = [...state.completedModuleIds, moduleId].sort();
    const isCourseCompleted = state.status === 'active' && state.doneCount === state.requiredCount;
    const certificate = isCourseCompleted ? issue() : null;
    const told = {
      courseId: COURSE,
      moduleId,
      lessonId,
      completedAt: AT,
      progress: counted(),
      isModuleCompleted,
      certificate,
      points: 0,
    };
    if (isNew) topics.publish(topic, 'lesson.completed', told);
    return { ...told, isNew, isCourseCompleted, achievements: [] };
  }

  function reevaluate(): void {
    state.courseVersion += 1;
    if (state.status === 'active') {
      state.requiredCount = Math.max(state.doneCount + 1, (state.requiredCount + 3) % 12);
      state.progressPercent = Math.floor((100 * state.doneCount) / state.requiredCount);
    }
    topics.publish(topic, 'progress.reevaluated', {
      courseId: COURSE,
      ...counted(),
      completedModuleIds: [],
    });
  }
  const changes: ((lessonId: string, n: number) => void)[] = [
    (lessonId) => complete(lessonId),
    (lessonId) => complete(lessonId),
    (lessonId, n) => {
      const lesson = lessonState(lessonId);
      lesson.attempts += 1;
      lesson.bestScore = Math.max(lesson.bestScore ?? 0, n);
      const { attempts, bestScore } = lesson;
      const told = { courseId: COURSE, lessonId, attempts, bestScore, score: n, isPassed: false };
      topics.publish(topic, 'quiz.submitted', told);
    },
    () => reevaluate(),
    () => {
      if (!state.certificate || state.certificate.revokedAt !== null) return;
      state.certificate = { ...state.certificate, revokedAt: AT, revocationReason: 'So' };
      topics.publish(topic, 'certificate.revoked', { certificate: state.certificate });
    },
    (lessonId) =>
      topics.publish(topic, 'quiz.submitted', {
        ...{ courseId: 'another', lessonId, attempts: 9, bestScore: 9, score: 9, isPassed: false },
      }),
  ];
  return {
    state,
    api: {
      progress: {
        ...notModelled.progress,
        course: topics.snapshot(topic, () => state),
        completeLesson: topics.call(({ lessonId }: { lessonId: string }) => complete(lessonId)),
      },
    },
    change: (n: number) => changes[n % changes.length]?.(LESSONS[n % LESSONS.length] ?? '', n),
    changeAll: reevaluate,
  } satisfies Model & { state: CourseProgress };
}

it('ends every device’s progress equal to the server’s', async () => {
  await expectConvergence(learning, (connection, model) =>
    [0, 1].map(() => {
      const store = courseProgress(connection, COURSE);
      return {
        store,
        act: (n: number) => void store.completeLesson(LESSONS[n % LESSONS.length] ?? '', 1),
        compare() {
          const { progress, status } = shownBy(store);
          expect(status).toBe('live');
          expect(progress).toEqual(model.state);
        },
      };
    }),
  );
}, 120_000);
