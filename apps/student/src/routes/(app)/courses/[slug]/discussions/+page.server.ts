import { throwPageError } from '@homeroom/portal/server';
import { redirect } from '@sveltejs/kit';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, parent }) => {
  const { course, taken } = await parent();
  if (taken === null) redirect(303, `/courses/${course.slug}`);
  const courseId = course.id;
  const [threads, readers] = await Promise.all([
    locals.caller.discussions.threads({ courseId, limit: 20 }),
    locals.caller.discussions.readers({ courseId }),
  ]).catch(throwPageError);
  return { threads, readers };
};
