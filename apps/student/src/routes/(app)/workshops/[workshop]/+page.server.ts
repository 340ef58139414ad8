import { renderMarkdown, throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params }) => {
  const view = await locals.caller.workshops
    .view({ workshopId: params.workshop })
    .catch(throwPageError);
  return { view, html: renderMarkdown(view.data.workshop.description) };
};
