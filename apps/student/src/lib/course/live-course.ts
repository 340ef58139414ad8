import type { CourseContent, CourseProgress } from '@homeroom/api/contract';
import type { Api } from '@homeroom/portal';
import { reloaded, type Connection, type LiveEvent, type Snapshot } from '@homeroom/realtime';

/** Whether an event tells of one course. */
function isOf(courseId: string, { data }: LiveEvent): boolean {
  return typeof data === 'object' && data !== null && 'courseId' in data
    ? data.courseId === courseId
    : false;
}

const progressEvents = new Set([
  'lesson.completed',
  'quiz.submitted',
  'progress.reevaluated',
  'certificate.issued',
  'certificate.revoked',
]);

/** How far the student is in a course, live on all of their devices. */
export function liveProgress(
  connection: Connection,
  api: Api,
  courseId: string,
  initial: Snapshot<CourseProgress>,
) {
  return reloaded({
    connection,
    topic: `user:${connection.userId}`,
    load: () => api.progress.course.query({ courseId }),
    concerns: (event) => progressEvents.has(event.event) && isOf(courseId, event),
    initial,
  });
}

/** What a course consists of, live as its authors publish. */
export function liveContent(
  connection: Connection,
  api: Api,
  courseId: string,
  initial: Snapshot<CourseContent>,
) {
  return reloaded({
    connection,
    topic: `course:${courseId}`,
    load: () => api.catalog.content.query({ courseId }),
    concerns: ({ event }) => event === 'content.published',
    initial,
  });
}
