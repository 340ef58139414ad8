import { publicDocument } from '#lib/certificates/public-document.ts';
import type { RequestHandler } from './$types';

/** The keys that verify the credentials: a JSON Web Key Set. */
export const GET: RequestHandler = ({ locals }) =>
  publicDocument(async () => locals.api.issuer?.keySet(), 'application/jwk-set+json');
