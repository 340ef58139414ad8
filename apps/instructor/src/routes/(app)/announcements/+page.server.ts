import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  const cursor = url.searchParams.get('after') ?? undefined;
  return {
    announcements: await locals.caller.announcements
      .list({ cursor, limit: 30 })
      .catch(throwPageError),
  };
};
