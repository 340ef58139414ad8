import { findCourse, throwPageError } from '@homeroom/portal/server';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = async (event) => {
  const course = await findCourse(event, event.params.slug);
  const workbench = await event.locals.caller.authoring
    .course({ courseId: course.id })
    .catch(throwPageError);
  return { course, workbench };
};
