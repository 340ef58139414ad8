import { publicDocument } from '#lib/certificates/public-document.ts';
import type { RequestHandler } from './$types';

/** Whether the signed badge still holds. */
export const GET: RequestHandler = ({ locals, params }) =>
  publicDocument(() => locals.caller.certificates.badgeStatus({ serialNumber: params.serial }));
