import { throwPageError } from '@homeroom/portal/server';
import { redirect } from '@sveltejs/kit';
import type { LayoutServerLoad } from './$types';

const isId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

export const load: LayoutServerLoad = async ({ locals, params, depends }) => {
  depends('homeroom:course');
  const { catalog, progress } = locals.caller;
  const wanted = isId.test(params.slug) ? { courseId: params.slug } : { slug: params.slug };
  const course = await catalog.course(wanted).catch(throwPageError);
  // Notifications know a course by its id; its address is a name.
  if ('courseId' in wanted) redirect(308, `/courses/${course.slug}`);
  if (!course.isEnrolled) return { course, taken: null };
  const [content, own] = await Promise.all([
    catalog.content({ courseId: course.id }),
    progress.course({ courseId: course.id }),
  ]).catch(throwPageError);
  return { course, taken: { content, progress: own } };
};
