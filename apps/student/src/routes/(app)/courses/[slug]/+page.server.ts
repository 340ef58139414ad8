import { failureOf } from '@homeroom/portal/server';
import type { Actions } from './$types';

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
