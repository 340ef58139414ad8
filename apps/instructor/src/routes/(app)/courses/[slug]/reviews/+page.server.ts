import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, parent }) => {
  const { course } = await parent();
  const reviews = await locals.caller.reviews.list({ courseId: course.id }).catch(throwPageError);
  return { reviews };
};
