import type { PageServerLoad } from './$types';

export const load: PageServerLoad = ({ locals }) => locals.caller.catalog.teaching({ limit: 100 });
