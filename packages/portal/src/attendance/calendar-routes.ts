import { error, type RequestEvent } from '@sveltejs/kit';
import { failureOf, throwPageError } from '../errors/page-error.ts';
import { requireSession } from '../server/routes.ts';
import { calendarFile } from './calendar-file.ts';

function answer(file: string, fileName: string): Response {
  return new Response(file, {
    headers: {
      'content-type': 'text/calendar; charset=utf-8',
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'private, no-store',
      // The secret is in the address: nobody lists it.
      'x-robots-tag': 'noindex',
    },
  });
}

/** Answers `/calendar/<token>.ics`: the calendar that the secret opens, without a session. */
export async function answerCalendar(event: RequestEvent): Promise<Response> {
  const { locals, params, url } = event;
  const caller = locals.api.caller(null, { clientAddress: event.getClientAddress() });
  const { items } = await caller.calendar.feed({ token: params.token ?? '' }).catch(throwPageError);
  return answer(calendarFile(items, { origin: url.origin, isFeed: true }), 'homeroom.ics');
}

/** Answers `/workshops/<id>/calendar.ics`: one workshop, for the calendar of who is signed in. */
export async function answerCalendarEvent(event: RequestEvent): Promise<Response> {
  requireSession(event);
  const { locals, params, url } = event;
  const workshop = await locals.caller.calendar
    .event({ workshopId: params.workshop ?? '' })
    .catch(throwPageError);
  return answer(calendarFile([workshop], { origin: url.origin, isFeed: false }), 'workshop.ics');
}

/** The address of the caller's calendar, in full; null while there is none. */
export async function loadCalendarAddress({ locals, url }: RequestEvent): Promise<string | null> {
  const { token } = await locals.caller.calendar.address().catch(throwPageError);
  return token === null ? null : `${url.origin}/calendar/${token}.ics`;
}

/** Gives the caller's calendar a new address, or none. */
export async function changeCalendarAddress({ locals, request }: RequestEvent) {
  const { calendar } = locals.caller;
  const wanted = (await request.formData()).get('wanted');
  if (wanted !== 'new' && wanted !== 'none') error(400, 'Say what to do with the address.');
  try {
    await (wanted === 'new' ? calendar.renew() : calendar.remove());
  } catch (cause) {
    return failureOf(cause);
  }
  return { calendar: wanted };
}
