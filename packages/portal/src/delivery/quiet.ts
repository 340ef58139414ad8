/** From when to when nothing rings, by the clock: `22:00` to `07:00`; and on which weekdays, 1 is Monday. */
export type QuietHours = { from: string; to: string; days: readonly number[] };

/** As `en-GB` writes them, Monday first. */
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/**
 * Whether it is quiet at a moment (ms since 1970) by the clock of a time zone, as
 * `private.is_quiet` says it: the beginning belongs to the quiet hours, the end doesn't, and a night
 * belongs to the day on which it begins.
 */
export function isQuietAt(hours: QuietHours | null, timeZone: string, at: number): boolean {
  if (hours === null) return false;
  const clockAt = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { ...options, timeZone }).format(at);
  const clock = clockAt({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const { from, to, days } = hours;
  const isMorningAfter = from > to && clock < to;
  const today = WEEKDAYS.indexOf(clockAt({ weekday: 'short' })) + 1;
  const began = isMorningAfter ? ((today + 5) % 7) + 1 : today;
  if (!days.includes(began)) return false;
  return isMorningAfter || (clock >= from && (from > to || clock < to));
}
