import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => ({
  reports: await locals.caller.messages.reports({ status: 'open', limit: 50 }),
});
