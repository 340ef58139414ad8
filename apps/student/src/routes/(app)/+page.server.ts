import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => {
  const { enrollment, leaderboard, workshops } = locals.caller;
  const [enrollments, upcoming, standing] = await Promise.all([
    enrollment.mine({ limit: 100 }),
    workshops.list({ when: 'upcoming', limit: 4 }),
    leaderboard.standing({ scope: 'week' }),
  ]);
  return { enrollments, upcoming, standing };
};
