import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  const cursor = url.searchParams.get('after') ?? undefined;
  return locals.caller.catalog.list({ cursor, limit: 24 });
};
