import { csvFile, findCourse, throwPageError } from '@homeroom/portal/server';
import type { RequestHandler } from './$types';

/** The students of a course as a file. */
export const GET: RequestHandler = async (event) => {
  const { id: courseId } = await findCourse(event, event.params.slug);
  const { progress } = event.locals.caller;
  return csvFile(await progress.rosterFile({ courseId }).catch(throwPageError));
};
