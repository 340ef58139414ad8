import { publicDocument } from '#lib/certificates/public-document.ts';
import type { RequestHandler } from './$types';

/** The certificate as a signed Open Badge. */
export const GET: RequestHandler = ({ locals, params }) =>
  publicDocument(async () => {
    const { jwt } = await locals.caller.certificates.badge({ serialNumber: params.serial });
    return jwt;
  }, 'application/vc+jwt');
