import { throwPageError } from '@homeroom/portal/server';
import { error, redirect } from '@sveltejs/kit';
import type { LayoutServerLoad } from './$types';

const isId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

export const load: LayoutServerLoad = async ({ locals, params }) => {
  const wanted = isId.test(params.slug) ? { courseId: params.slug } : { slug: params.slug };
  const course = await locals.caller.catalog.course(wanted).catch(throwPageError);
  // Notifications know a course by its id; its address is a name.
  if ('courseId' in wanted) redirect(308, `/courses/${course.slug}`);
  const isTaught =
    locals.session?.role === 'admin' ||
    course.instructors.some(({ id }) => id === locals.session?.userId);
  if (!isTaught) error(403, 'You don’t teach this course.');
  return { course };
};
