import { failureOf, renderMarkdown, throwPageError } from '@homeroom/portal/server';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, parent }) => {
  const { course } = await parent();
  const reviews = await locals.caller.reviews.list({ courseId: course.id }).catch(throwPageError);
  return { reviews, description: renderMarkdown(course.description) };
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
