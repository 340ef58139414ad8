import { renderMarkdown, seenCode, throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const view = await locals.caller.workshops
    .view({ workshopId: params.workshop })
    .catch(throwPageError);
  return { view, html: renderMarkdown(view.data.workshop.description), seen: seenCode(url) };
};
