import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => ({
  attendance: await locals.caller.attendance
    .list({ workshopId: params.workshop })
    .catch(throwPageError),
  studentUrl: process.env.PUBLIC_STUDENT_URL ?? null,
});
