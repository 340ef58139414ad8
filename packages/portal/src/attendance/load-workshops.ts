import type { RequestEvent } from '@sveltejs/kit';
import { loadCalendarAddress } from './calendar-routes.ts';
import { throwPageError } from '../errors/page-error.ts';

/** What the page of workshops needs: those to come, the last that were, and the calendar. */
export async function loadWorkshops(event: RequestEvent) {
  const { workshops } = event.locals.caller;
  // Before the lists: what changes in between is told, not missed.
  const changes = await workshops.changes().catch(throwPageError);
  const [upcoming, past, calendarAddress] = await Promise.all([
    workshops.list({ when: 'upcoming' }),
    workshops.list({ when: 'past', limit: 20 }),
    loadCalendarAddress(event),
  ]).catch(throwPageError);
  return { changes, upcoming, past, calendarAddress };
}
