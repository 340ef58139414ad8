import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => ({
  part: await locals.caller.discussions
    .messages({ threadId: params.thread, limit: 50 })
    .catch(throwPageError),
});
