import { readNotificationQuery } from '@homeroom/portal/server';
import type { PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, url }) => {
  const { query, filters } = readNotificationQuery(url.searchParams);
  return { query, filters, initial: await locals.caller.notifications.list(filters) };
};
