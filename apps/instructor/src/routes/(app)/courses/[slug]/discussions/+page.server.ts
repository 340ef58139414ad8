import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, parent }) => {
  const { course } = await parent();
  const courseId = course.id;
  const [threads, readers] = await Promise.all([
    locals.caller.discussions.threads({ courseId, limit: 20 }),
    locals.caller.discussions.readers({ courseId }),
  ]).catch(throwPageError);
  return { threads, readers };
};
