import type {
  CertificateEvents,
  CourseProgress,
  LessonState,
  ProgressEvents,
} from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';
import { isOneOf } from '../live-query/event-of.ts';

const isProgressEvent = isOneOf<ProgressEvents & CertificateEvents>({
  'lesson.completed': true,
  'quiz.submitted': true,
  'progress.reevaluated': true,
  'certificate.issued': true,
  'certificate.revoked': true,
});

const NOT_TRIED = { completedAt: null, attempts: 0, bestScore: null };

/** Progress with the state of one lesson changed, in the order of the lessons' ids. */
export function withLesson(
  progress: CourseProgress,
  lessonId: string,
  change: Partial<LessonState>,
): CourseProgress {
  const before = progress.lessons.find((lesson) => lesson.lessonId === lessonId);
  const lesson = { ...NOT_TRIED, ...before, ...change, lessonId };
  const others = progress.lessons.filter((other) => other !== before);
  const lessons = [...others, lesson].sort((a, b) => (a.lessonId < b.lessonId ? -1 : 1));
  return { ...progress, lessons };
}

/** The progress after an event of the student's topic; events about other courses change nothing. */
export function apply(progress: CourseProgress, event: LiveEvent): CourseProgress {
  if (!isProgressEvent(event)) return progress;
  switch (event.event) {
    case 'lesson.completed': {
      const { courseId, lessonId, moduleId, completedAt, isModuleCompleted, certificate } =
        event.data;
      if (courseId !== progress.courseId) return progress;
      const done = withLesson(progress, lessonId, { completedAt });
      return {
        ...done,
        ...event.data.progress,
        completedModuleIds: united(done.completedModuleIds, isModuleCompleted ? [moduleId] : []),
        certificate: certificate ?? done.certificate,
      };
    }
    case 'quiz.submitted': {
      const { courseId, lessonId, attempts, bestScore } = event.data;
      if (courseId !== progress.courseId) return progress;
      return withLesson(progress, lessonId, { attempts, bestScore });
    }
    case 'progress.reevaluated': {
      const { courseId, completedModuleIds, ...counted } = event.data;
      if (courseId !== progress.courseId) return progress;
      const all = united(progress.completedModuleIds, completedModuleIds);
      return { ...progress, ...counted, completedModuleIds: all };
    }
    case 'certificate.issued': {
      const { courseTitle: _, ...certificate } = event.data.certificate;
      return certificate.courseId === progress.courseId ? { ...progress, certificate } : progress;
    }
    case 'certificate.revoked': {
      const { certificate } = event.data;
      return certificate.courseId === progress.courseId ? { ...progress, certificate } : progress;
    }
  }
}

function united(ids: readonly string[], more: readonly string[]): string[] {
  return [...new Set([...ids, ...more])].sort();
}
