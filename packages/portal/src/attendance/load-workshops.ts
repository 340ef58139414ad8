import type { RequestEvent } from '@sveltejs/kit';
import { loadCalendarAddress } from './calendar-routes.ts';
import { throwPageError } from '../errors/page-error.ts';

/** What the page of workshops needs: those to come, the last that were, and the calendar. */
export async function loadWorkshops(event: RequestEvent) {
  const { workshops } = event.locals.caller;
  const [upcoming, past, calendarAddress] = await Promise.all([
    workshops.list({ when: 'upcoming' }),
    workshops.list({ when: 'past', limit: 20 }),
    loadCalendarAddress(event),
  ]).catch(throwPageError);
  return { upcoming, past, calendarAddress };
}
