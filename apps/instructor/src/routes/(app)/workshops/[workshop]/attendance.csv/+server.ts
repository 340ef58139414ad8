import { csvFile, throwPageError } from '@homeroom/portal/server';
import type { RequestHandler } from './$types';

/** The log of a workshop as a file that can be verified. */
export const GET: RequestHandler = async ({ locals, params }) => {
  const { attendance } = locals.caller;
  return csvFile(await attendance.export({ workshopId: params.workshop }).catch(throwPageError));
};
