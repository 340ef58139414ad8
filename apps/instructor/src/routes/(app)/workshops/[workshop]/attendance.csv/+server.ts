import { throwPageError } from '@homeroom/portal/server';
import type { RequestHandler } from './$types';

/** The log of a workshop as a file that can be verified. */
export const GET: RequestHandler = async ({ locals, params }) => {
  const { fileName, csv } = await locals.caller.attendance
    .export({ workshopId: params.workshop })
    .catch(throwPageError);
  return new Response(csv, {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
    },
  });
};
