import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => {
  const { data } = await locals.caller.enrollment.mine({ limit: 100 });
  return { enrollments: data.items };
};
