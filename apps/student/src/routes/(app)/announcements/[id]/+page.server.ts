import { renderMarkdown, throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => {
  const announcement = await locals.caller.announcements
    .view({ id: params.id })
    .catch(throwPageError);
  return { announcement, html: renderMarkdown(announcement.content) };
};
