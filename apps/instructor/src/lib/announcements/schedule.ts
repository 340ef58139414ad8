import { parseDateTime, toZoned } from '@internationalized/date';

/** When a time such as `2026-11-21T09:00` is, in a time zone; undefined for what is none. */
export function momentOf(local: string, timeZone: string): string | undefined {
  try {
    return toZoned(parseDateTime(local), timeZone).toDate().toISOString();
  } catch {
    // The only way in which parseDateTime says that a text is no time.
    return undefined;
  }
}

/** A moment as a form's field wants it, in a time zone. */
export function localOf(moment: string, timeZone: string): string {
  // Sweden writes times as ISO does.
  const options = { timeZone, dateStyle: 'short', timeStyle: 'short' } as const;
  return new Intl.DateTimeFormat('sv', options).format(new Date(moment)).replace(' ', 'T');
}
