import { findCourse } from '@homeroom/portal/server';
import { error } from '@sveltejs/kit';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = async (event) => {
  const { session } = event.locals;
  const course = await findCourse(event, event.params.slug);
  const isTaught =
    session?.role === 'admin' || course.instructors.some(({ id }) => id === session?.userId);
  if (!isTaught) error(403, 'You don’t teach this course.');
  return { course };
};
