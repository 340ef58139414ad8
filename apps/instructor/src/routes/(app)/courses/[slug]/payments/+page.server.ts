import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, parent, url }) => {
  const { course } = await parent();
  const cursor = url.searchParams.get('after') ?? undefined;
  return {
    payments: await locals.caller.activity
      .payments({ courseId: course.id, cursor, limit: 50 })
      .catch(throwPageError),
  };
};
