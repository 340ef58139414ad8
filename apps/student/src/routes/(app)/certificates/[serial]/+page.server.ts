import { throwPageError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const certificate = await locals.caller.certificates
    .verify({ serialNumber: params.serial })
    .catch(throwPageError);
  return {
    certificate,
    verifyUrl: `${url.origin}/verify/${certificate.data.serialNumber}`,
    hasBadges: locals.api.issuer !== null,
  };
};
