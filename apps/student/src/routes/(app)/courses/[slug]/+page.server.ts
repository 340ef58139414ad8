import { failureOf, throwPageError } from '@homeroom/portal/server';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => {
  try {
    return { course: await locals.caller.catalog.course({ slug: params.slug }) };
  } catch (error) {
    throwPageError(error);
  }
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
