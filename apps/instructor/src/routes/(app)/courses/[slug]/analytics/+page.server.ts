import { throwPageError } from '@homeroom/portal/server';
import { readPeriod } from '#lib/analytics/period.ts';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, parent, url }) => {
  const { course, shell } = await parent();
  const now = Date.now();
  const period = readPeriod(url.searchParams, shell.me.timeZone, now);
  const analytics = await locals.caller.activity
    .analytics({ courseId: course.id, ...period })
    .catch(throwPageError);
  return { period, now, analytics, timeZones: Intl.supportedValuesOf('timeZone') };
};
