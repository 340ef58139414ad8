import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => ({
  enrollments: await locals.caller.enrollment.mine({ limit: 100 }),
});
