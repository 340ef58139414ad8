import { findCourse, throwPageError } from '@homeroom/portal/server';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = async (event) => {
  const { catalog, progress } = event.locals.caller;
  const course = await findCourse(event, event.params.slug);
  if (!course.isEnrolled) return { course, taken: null };
  const [content, own] = await Promise.all([
    catalog.content({ courseId: course.id }),
    progress.course({ courseId: course.id }),
  ]).catch(throwPageError);
  // What is in it stands in its content, which is live: not sent twice.
  return { course: { ...course, modules: [] }, taken: { content, progress: own } };
};
