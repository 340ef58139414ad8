import type { RequestEvent } from '@sveltejs/kit';
import { readNotificationQuery } from './query.ts';

/** What the notification centre needs: the filters of its address, and what they let through. */
export async function loadNotifications({ locals, url }: RequestEvent) {
  const { timeZone } = await locals.caller.identity.me();
  const { query, filters } = readNotificationQuery(url.searchParams, timeZone);
  return { query, filters, initial: await locals.caller.notifications.list(filters) };
}
