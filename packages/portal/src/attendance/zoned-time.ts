import {
  parseAbsolute,
  parseDateTime,
  toCalendarDateTime,
  toZoned,
  type ZonedDateTime,
} from '@internationalized/date';

/** Why a time of a clock names no moment. */
export type NoMoment = 'unreadable' | 'skipped';

/**
 * The moment that a clock in a zone shows as `2026-11-24T18:00`. Of the hour that comes twice in
 * autumn, the first one; what the clocks skip in spring is no moment.
 */
export function momentOf(local: string, timeZone: string): { at: string } | { no: NoMoment } {
  let zoned: ZonedDateTime;
  try {
    const wanted = parseDateTime(local);
    zoned = toZoned(wanted, timeZone, 'earlier');
    if (toCalendarDateTime(zoned).compare(wanted) !== 0) return { no: 'skipped' };
  } catch (error) {
    // What the library throws for text that is no date and for zones that it doesn't know.
    if (error instanceof Error) return { no: 'unreadable' };
    throw error;
  }
  return { at: zoned.toAbsoluteString() };
}

/** What a clock in a zone shows at a moment, as a form's field has it: `2026-11-24T18:00`. */
export function localTimeOf(moment: string, timeZone: string): string {
  return toCalendarDateTime(parseAbsolute(moment, timeZone)).toString().slice(0, 16);
}
