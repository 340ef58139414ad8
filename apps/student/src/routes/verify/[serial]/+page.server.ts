import { throwPageError, toApiError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, setHeaders, url }) => {
  setHeaders({ 'x-robots-tag': 'noindex' });
  const { supabaseUrl, publishableKey } = locals.settings;
  const page = {
    serialNumber: params.serial,
    verifyUrl: `${url.origin}/verify/${params.serial}`,
    hasBadges: locals.api.issuer !== null,
    supabaseUrl,
    publishableKey,
  };
  try {
    const certificate = await locals.caller.certificates.verify({ serialNumber: params.serial });
    return { ...page, certificate };
  } catch (error) {
    // Not one of ours is an answer here, not an error.
    const { status } = toApiError(error);
    if (status !== 400 && status !== 404) throwPageError(error);
    return { ...page, certificate: null };
  }
};
