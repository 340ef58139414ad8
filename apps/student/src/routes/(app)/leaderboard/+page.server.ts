import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

const isId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Which leaderboard an address asks for; what makes no sense is the one of all time. */
function scopeOf(asked: string | null): string {
  return asked === 'week' || (asked !== null && isId.test(asked)) ? asked : 'global';
}

export const load: PageServerLoad = async ({ locals, url }) => {
  const scope = scopeOf(url.searchParams.get('scope'));
  const { leaderboard, enrollment } = locals.caller;
  const [top, standing, mine] = await Promise.all([
    leaderboard.top({ scope }),
    leaderboard.standing({ scope }),
    enrollment.mine({ limit: 100 }),
  ]).catch(throwPageError);
  const courses = mine.data.items.map(({ courseId, title }) => ({ courseId, title }));
  return { scope, top, standing, courses };
};
