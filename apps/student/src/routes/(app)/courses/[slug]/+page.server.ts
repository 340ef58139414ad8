import { failureOf, throwPageError } from '@homeroom/portal/server';
import { redirect } from '@sveltejs/kit';
import type { Actions, PageServerLoad } from './$types';

const isId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

export const load: PageServerLoad = async ({ locals, params }) => {
  const wanted = isId.test(params.slug) ? { courseId: params.slug } : { slug: params.slug };
  const course = await locals.caller.catalog.course(wanted).catch(throwPageError);
  // Notifications know a course by its id; its address is a name.
  if ('courseId' in wanted) redirect(308, `/courses/${course.slug}`);
  return { course };
};

export const actions: Actions = {
  enroll: async ({ locals, request }) => {
    const given = (await request.formData()).get('courseId');
    const courseId = typeof given === 'string' ? given : '';
    try {
      return { enrolled: await locals.caller.enrollment.enroll({ courseId }) };
    } catch (error) {
      return failureOf(error);
    }
  },
};
