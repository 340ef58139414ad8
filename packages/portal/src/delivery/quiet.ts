/** From when to when nothing rings, by the clock: `22:00` to `07:00`. */
export type QuietHours = { from: string; to: string };

/**
 * Whether it is quiet at a moment (ms since 1970) by the clock of a time zone, as
 * `private.is_quiet` says it: the beginning belongs to the quiet hours, the end doesn't.
 */
export function isQuietAt(hours: QuietHours | null, timeZone: string, at: number): boolean {
  if (hours === null) return false;
  const clock = new Intl.DateTimeFormat('en-GB', {
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
    timeZone,
  }).format(at);
  const { from, to } = hours;
  return from < to ? clock >= from && clock < to : clock >= from || clock < to;
}
