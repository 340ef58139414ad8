import { loadShell } from '@homeroom/portal/server';
import { redirect } from '@sveltejs/kit';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = (event) => {
  // Who comes for the first time is welcomed, not asked for a password.
  if (event.locals.session === null && event.url.pathname === '/') redirect(303, '/welcome');
  return loadShell(event);
};
