import type { CalendarEvent } from '@homeroom/api/contract';
import ical, { ICalCalendarMethod, ICalEventStatus } from 'ical-generator';

/** How often a calendar asks again, in seconds; many ask at their own pace all the same. */
const ASK_AGAIN_SECONDS = 15 * 60;

const statuses = {
  confirmed: ICalEventStatus.CONFIRMED,
  tentative: ICalEventStatus.TENTATIVE,
  cancelled: ICalEventStatus.CANCELLED,
};

/**
 * Workshops as an iCalendar file (RFC 5545). Times are in UTC, which is exact whatever the rules of
 * summer time are by then; calendars show them in their reader's zone. `origin` is that of the
 * portal whose pages the events lead to.
 */
export function calendarFile(
  events: readonly CalendarEvent[],
  { origin, isFeed }: { origin: string; isFeed: boolean },
): string {
  const isOff = !isFeed && events.every(({ status }) => status === 'cancelled');
  const calendar = ical({
    name: 'Homeroom',
    prodId: { company: 'Homeroom', product: 'Workshops', language: 'EN' },
    method: isOff ? ICalCalendarMethod.CANCEL : ICalCalendarMethod.PUBLISH,
    ...(isFeed ? { ttl: ASK_AGAIN_SECONDS } : {}),
  });
  for (const event of events) {
    const page = `${origin}/workshops/${event.id}`;
    calendar.createEvent({
      id: `workshop-${event.id}@homeroom`,
      sequence: event.sequence,
      // When it was changed, so that the same workshop is the same text.
      stamp: new Date(event.updatedAt),
      lastModified: new Date(event.updatedAt),
      start: new Date(event.startsAt),
      end: new Date(event.endsAt),
      summary: event.title,
      description: [event.description, event.meetingUrl && `Join: ${event.meetingUrl}`, page]
        .filter(Boolean)
        .join('\n\n'),
      location: event.location ?? event.meetingUrl,
      url: page,
      status: statuses[event.status],
    });
  }
  return calendar.toString();
}
