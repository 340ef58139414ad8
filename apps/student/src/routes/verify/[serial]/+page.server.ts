import { throwPageError, toApiError } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, setHeaders }) => {
  setHeaders({ 'x-robots-tag': 'noindex' });
  try {
    const certificate = await locals.caller.certificates.verify({ serialNumber: params.serial });
    return { certificate, serialNumber: params.serial };
  } catch (error) {
    // Not one of ours is an answer here, not an error.
    const { status } = toApiError(error);
    if (status !== 400 && status !== 404) throwPageError(error);
    return { certificate: null, serialNumber: params.serial };
  }
};
