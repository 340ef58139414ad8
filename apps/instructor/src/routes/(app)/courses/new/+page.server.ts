import { failureOf } from '@homeroom/portal/server';
import { redirect } from '@sveltejs/kit';
import { readNewCourse } from '#lib/authoring/new-course.ts';
import type { Actions } from './$types';

export const actions: Actions = {
  default: async ({ locals, request }) => {
    const { title, slug } = readNewCourse(await request.formData());
    try {
      await locals.caller.authoring.createCourse({ title, slug });
    } catch (cause) {
      return failureOf(cause, { title, slug });
    }
    redirect(303, `/courses/${slug}/edit`);
  },
};
