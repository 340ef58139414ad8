import { WORKSHOPS_SHOWN } from '#lib/attendance/workshops-shown.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals }) => {
  const { enrollment, leaderboard, workshops } = locals.caller;
  // Before the list: what changes in between is told, not missed.
  const changes = await workshops.changes();
  const [enrollments, upcoming, standing] = await Promise.all([
    enrollment.mine({ limit: 100 }),
    workshops.list({ when: 'upcoming', limit: WORKSHOPS_SHOWN }),
    leaderboard.standing({ scope: 'week' }),
  ]);
  return { enrollments, changes, upcoming, standing };
};
