import { loadShell } from '@homeroom/portal/server';
import { redirect, type RequestEvent } from '@sveltejs/kit';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = (event) => {
  if (event.locals.session === null) {
    const place = placeForVisitors(event);
    if (place !== null) redirect(303, place);
  }
  return loadShell(event);
};

/** Where visitors find what a page shows to those who are signed in; null: nowhere, sign in first. */
function placeForVisitors({ route, params, url }: Pick<RequestEvent, 'route' | 'params' | 'url'>) {
  // Who comes for the first time is welcomed, not asked for a password.
  if (route.id === '/(app)') return '/welcome';
  if (route.id === '/(app)/courses') return `/catalogue${url.search}`;
  if (route.id === '/(app)/courses/[slug]') return `/catalogue/${params.slug}`;
  return null;
}
