import { dateTimeFormat } from './formatters.ts';

const dayMs = 86_400_000;

/** The days of a reader: which one a moment is on, and what it is called. */
export type ReaderDays = {
  /** The same for all moments of a day. Takes milliseconds since 1970. */
  keyOf(at: number): string;
  /** Today, yesterday, tomorrow, else the date. Takes milliseconds since 1970. */
  labelOf(at: number): string;
};

/**
 * The days around `now` (milliseconds since 1970), as they are in the reader's zone and called in
 * their language.
 */
export function readerDays(now: number, locale: string, timeZone?: string): ReaderDays {
  const day = dateTimeFormat('en-CA', { timeZone });
  const date = dateTimeFormat(locale, {
    ...{ weekday: 'long', day: 'numeric', month: 'long' },
    timeZone,
  });
  const today = day.format(now);
  const yesterday = day.format(now - dayMs);
  const tomorrow = day.format(now + dayMs);
  return {
    keyOf: (at) => day.format(at),
    labelOf(at) {
      const key = day.format(at);
      if (key === today) return 'Today';
      if (key === tomorrow) return 'Tomorrow';
      return key === yesterday ? 'Yesterday' : date.format(at);
    },
  };
}
