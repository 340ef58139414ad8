import type { Delivery } from '@homeroom/api/contract';

/** The hours of the day, to choose from. */
export const hourOptions = Array.from({ length: 24 }, (_, hour) => ({
  value: String(hour),
  label: `${String(hour).padStart(2, '0')}:00`,
}));

/** A Monday, in UTC. */
const MONDAY = Date.UTC(2026, 0, 5);
const DAY_MS = 24 * 3_600_000;

/** The days of the week from Monday, to choose from. */
export function weekdayOptions(locale: string, weekday: 'long' | 'short' = 'long') {
  const { format } = new Intl.DateTimeFormat(locale, { weekday, timeZone: 'UTC' });
  return Array.from({ length: 7 }, (_, day) => ({
    value: String(day + 1),
    label: format(MONDAY + day * DAY_MS),
  }));
}

/** When the next digest comes, in words, by the clock of its reader. */
export function digestWords(
  { nextDigestAt, timeZone, quietHours, digest }: Delivery,
  email: string,
  locale: string,
): string {
  if (nextDigestAt === null) return 'No digest comes.';
  const at = Date.parse(nextDigestAt);
  const when = new Intl.DateTimeFormat(locale, {
    ...{ weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' },
    timeZone,
  }).format(at);
  const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', hourCycle: 'h23', timeZone });
  const isLater = quietHours.isOn && Number(hour.format(at)) !== digest.hour;
  const why = isLater ? ', when your quiet hours are over' : '';
  return `The next one comes ${when}${why}, to ${email}, if there is something that you haven’t read.`;
}
