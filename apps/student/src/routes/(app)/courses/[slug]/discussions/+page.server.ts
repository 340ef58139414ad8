import { loadThreads } from '@homeroom/portal/server';
import { redirect } from '@sveltejs/kit';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const { course, taken } = await event.parent();
  if (taken === null) redirect(303, `/courses/${course.slug}`);
  return loadThreads(event, course.id);
};
