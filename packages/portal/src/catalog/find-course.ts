import { redirect, type RequestEvent } from '@sveltejs/kit';
import { throwPageError } from '../errors/page-error.ts';

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/**
 * The course of an address `/courses/<slug>`. Notifications know a course by its id: then it leads
 * on to the address with its name.
 * @throws what the API refuses, as the page's error
 */
export async function findCourse({ locals, url }: RequestEvent, slug: string) {
  const wanted = uuid.test(slug) ? { courseId: slug } : { slug };
  const course = await locals.caller.catalog.course(wanted).catch(throwPageError);
  if ('courseId' in wanted) redirect(308, url.pathname.replace(slug, course.slug) + url.search);
  return course;
}
