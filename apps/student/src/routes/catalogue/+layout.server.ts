import { redirect } from '@sveltejs/kit';
import type { LayoutServerLoad } from './$types';

export const load: LayoutServerLoad = ({ locals, params, url }) => {
  if (locals.session === null) return;
  redirect(303, params.slug === undefined ? `/courses${url.search}` : `/courses/${params.slug}`);
};
