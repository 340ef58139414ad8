import type { CourseStats, Overview } from '@homeroom/api/contract';
import type { Api } from '@homeroom/portal';
import { reloaded, type Connection, type LiveEvent, type Snapshot } from '@homeroom/realtime';

/** What is told of a course to its staff, and makes trends or what needs attention old. */
const MOVING = new Set(['activity.created', 'stats.changed']);

/** The first page, the feed apart: of one course, or of all that the instructor teaches. Live. */
export function overview(
  connection: Connection,
  api: Api,
  courseId: string | undefined,
  initial: Snapshot<Overview>,
) {
  return reloaded({
    connection,
    topic: courseId === undefined ? `user:${connection.userId}` : `course:${courseId}:staff`,
    load: () => api.activity.overview.query({ courseId }),
    concerns: ({ event }: LiveEvent) =>
      courseId === undefined ? event === 'course_stats.changed' : MOVING.has(event),
    initial,
  });
}

/** An overview of one course whose figures are newer. */
export function withStats(shown: Overview, stats: CourseStats | undefined): Overview {
  if (!stats) return shown;
  const courses = shown.courses.map((course) =>
    course.id === stats.courseId ? { ...course, stats } : course,
  );
  return { ...shown, courses };
}
