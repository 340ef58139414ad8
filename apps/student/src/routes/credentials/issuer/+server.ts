import { publicDocument } from '#lib/certificates/public-document.ts';
import type { RequestHandler } from './$types';

/** Who issues the credentials: an Open Badges profile. */
export const GET: RequestHandler = ({ locals }) =>
  publicDocument(() => Promise.resolve(locals.api.issuer?.profile()));
