import { throwPageError } from '@homeroom/portal/server';
import { error } from '@sveltejs/kit';
import type { PageServerLoad } from './$types';

/** As many as the page's choice lists. */
const COURSES_MAX = 100;

export const load: PageServerLoad = async ({ locals, url }) => {
  const { activity, catalog } = locals.caller;
  const slug = url.searchParams.get('course') ?? '';
  const taught = await catalog.teaching({ limit: COURSES_MAX });
  const chosen = taught.data.items.find((course) => course.slug === slug);
  if (slug !== '' && !chosen) error(404, 'You teach no course of this name.');
  const courseId = chosen?.id;
  const [overview, feed, stats] = await Promise.all([
    activity.overview({ courseId }),
    activity.feed({ courseId, limit: 40 }),
    courseId === undefined ? undefined : activity.stats({ courseId }),
  ]).catch(throwPageError);
  return {
    courseId,
    choices: taught.data.items
      .map((course) => ({ slug: course.slug, title: course.title, isShown: course === chosen }))
      .sort((a, b) => a.title.localeCompare(b.title)),
    initial: { overview, feed, ...(stats && { stats }) },
  };
};
