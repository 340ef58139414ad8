import {
  CalendarDateTime,
  parseAbsolute,
  toCalendarDate,
  toZoned,
  type CalendarDate,
} from '@internationalized/date';
import { momentOf } from '../attendance/zoned-time.ts';

/** A moment that one may want a notification back at; `until` is ISO. */
export type SnoozeChoice = { label: string; until: string };

const MORNING = 8;
const EVENING = 18;
const HOUR_MS = 3_600_000;
/** As in the database: `check_box`. */
const YEARS_MAX = 1;
const MONDAY = 1;

/** The moment at which a day has come to an hour, where the reader is. */
function atHour(day: CalendarDate, hour: number, zone: string): string {
  const { year, month, day: dayOfMonth } = day;
  const clock = new CalendarDateTime(year, month, dayOfMonth, hour);
  return toZoned(clock, zone).toDate().toISOString();
}

/**
 * What one most often wants: in an hour, this evening (while that is more than an hour away),
 * tomorrow morning, on Monday morning.
 * @param now milliseconds since 1970
 */
export function snoozeChoices(now: number, zone: string): SnoozeChoice[] {
  const today = toCalendarDate(parseAbsolute(new Date(now).toISOString(), zone));
  const weekday = today.toDate('UTC').getUTCDay();
  const daysToMonday = ((MONDAY - weekday + 6) % 7) + 1;
  const inAnHour = new Date(now + HOUR_MS).toISOString();
  const thisEvening = atHour(today, EVENING, zone);
  return [
    { label: 'In an hour', until: inAnHour },
    ...(thisEvening > inAnHour ? [{ label: 'This evening', until: thisEvening }] : []),
    { label: 'Tomorrow morning', until: atHour(today.add({ days: 1 }), MORNING, zone) },
    // On a Sunday that is the same morning.
    ...(daysToMonday > 1
      ? [{ label: 'Next week', until: atHour(today.add({ days: daysToMonday }), MORNING, zone) }]
      : []),
  ];
}

/**
 * The moment of a form's `2026-11-24T18:00`, or what is wrong with it.
 * @param now milliseconds since 1970
 */
export function readPicked(
  local: string,
  now: number,
  zone: string,
): { until: string } | { problem: string } {
  const picked = momentOf(local, zone);
  if ('no' in picked) {
    return {
      problem:
        picked.no === 'skipped'
          ? 'The clocks skip that time. Choose one before or after.'
          : 'Enter a date and a time.',
    };
  }
  const at = Date.parse(picked.at);
  if (at <= now) return { problem: 'That has passed. Choose a later time.' };
  const latest = parseAbsolute(new Date(now).toISOString(), zone).add({ years: YEARS_MAX });
  if (at > latest.toDate().getTime()) return { problem: 'Choose a time within a year.' };
  return { until: new Date(at).toISOString() };
}

/** A moment to come, short: the day, the date and the time. */
export function snoozedUntil(until: string, locale: string, timeZone?: string): string {
  return new Intl.DateTimeFormat(locale, {
    ...{ weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit' },
    timeZone,
  }).format(Date.parse(until));
}
