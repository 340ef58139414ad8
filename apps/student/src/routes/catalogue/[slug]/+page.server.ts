import { findCourse, renderMarkdown } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async (event) => {
  const course = await findCourse(event, event.params.slug);
  return { course, description: renderMarkdown(course.description) };
};
