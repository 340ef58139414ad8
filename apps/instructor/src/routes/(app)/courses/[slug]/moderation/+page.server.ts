import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, parent }) => {
  const { course } = await parent();
  const { discussions, messages } = locals.caller;
  const [reports, { studentsMayWrite }] = await Promise.all([
    discussions.reports({ courseId: course.id, status: 'open', limit: 50 }),
    messages.courseSwitch.get({ courseId: course.id }),
  ]).catch(throwPageError);
  return { reports, studentsMayWrite };
};
