import type { TaughtCourses } from '@homeroom/api/contract';
import type { Api } from '@homeroom/portal';
import { reloaded, type Connection, type LiveEvent, type Snapshot } from '@homeroom/realtime';

/** As many as the page shows at once. */
export const TAUGHT_COURSES_MAX = 100;

/** What moves the figures of a list of courses: instructors are notified of each of these. */
const moving = new Set(['enrollment', 'course_completion']);

function concernsTaughtCourses({ event, data }: LiveEvent): boolean {
  if (event !== 'notification.created' && event !== 'notification.updated') return false;
  const { notification } = data as { notification: { type: string } };
  return moving.has(notification.type);
}

/** The courses that the instructor teaches with their figures, live. */
export function taughtCourses(connection: Connection, api: Api, initial: Snapshot<TaughtCourses>) {
  return reloaded({
    connection,
    topic: `user:${connection.userId}`,
    load: () => api.catalog.teaching.query({ limit: TAUGHT_COURSES_MAX }),
    concerns: concernsTaughtCourses,
    initial,
  });
}
