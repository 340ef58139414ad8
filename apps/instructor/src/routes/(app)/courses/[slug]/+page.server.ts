import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, parent }) => {
  const { course } = await parent();
  return {
    roster: await locals.caller.progress
      .roster({ courseId: course.id, limit: 100 })
      .catch(throwPageError),
  };
};
