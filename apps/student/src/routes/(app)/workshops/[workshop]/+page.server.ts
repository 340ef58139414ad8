import { failureOf, renderMarkdown, seenCode, throwPageError } from '@homeroom/portal/server';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const view = await locals.caller.workshops
    .view({ workshopId: params.workshop })
    .catch(throwPageError);
  return { view, html: renderMarkdown(view.data.workshop.description), seen: seenCode(url) };
};

/** Does without JavaScript what the page does with it, and shows it anew. */
const changePlace =
  (change: 'register' | 'unregister'): NonNullable<Actions['register']> =>
  async ({ locals, params }) => {
    try {
      await locals.caller.workshops[change]({ workshopId: params.workshop });
      return {};
    } catch (cause) {
      return failureOf(cause);
    }
  };

export const actions: Actions = {
  register: changePlace('register'),
  unregister: changePlace('unregister'),
};
