import { publicDocument } from '#lib/certificates/public-document.ts';
import type { RequestHandler } from './$types';

/** One key, where the `kid` of a credential leads. */
export const GET: RequestHandler = ({ locals, params }) =>
  publicDocument(async () => locals.api.issuer?.key(params.id), 'application/jwk+json');
