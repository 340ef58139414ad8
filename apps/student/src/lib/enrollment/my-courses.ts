import type { Api } from '@homeroom/portal';
import { reloaded, type Connection, type LiveEvent, type Snapshot } from '@homeroom/realtime';
import type { EnrollmentList } from '@homeroom/api/contract';

/** As many as the page shows; nobody has taken more courses yet. */
export const MY_COURSES_MAX = 100;

/** What changes the list of one's courses: a new one, or how far one is in it. */
function concernsMyCourses({ event }: LiveEvent): boolean {
  return /^(enrollment|progress|course)\./.test(event);
}

/** The student's courses with their progress, live. */
export function myCourses(connection: Connection, api: Api, initial: Snapshot<EnrollmentList>) {
  return reloaded({
    connection,
    topic: `user:${connection.userId}`,
    load: () => api.enrollment.mine.query({ limit: MY_COURSES_MAX }),
    concerns: concernsMyCourses,
    initial,
  });
}
