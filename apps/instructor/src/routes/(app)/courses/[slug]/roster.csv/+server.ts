import { throwPageError } from '@homeroom/portal/server';
import type { RequestHandler } from './$types';

/** The students of a course as a file. */
export const GET: RequestHandler = async ({ locals, params }) => {
  const { catalog, progress } = locals.caller;
  const course = await catalog.course({ slug: params.slug }).catch(throwPageError);
  const { fileName, csv } = await progress
    .rosterFile({ courseId: course.id })
    .catch(throwPageError);
  return new Response(csv, {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
    },
  });
};
