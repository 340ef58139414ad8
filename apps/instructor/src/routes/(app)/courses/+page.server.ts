import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => ({
  taught: await locals.caller.catalog.teaching({ limit: 100 }),
});
