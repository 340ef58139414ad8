import { dateTimeFormat, relativeTimeFormat } from './formatters.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How long after `now` the text of `relativeTime` can change, in ms. */
export function nextChangeMs(at: number, now: number): number {
  return Math.abs(now - at) < hourMs ? 15_000 : 10 * minuteMs;
}

/** A moment as people say it: relative within a day, then the date. Milliseconds since 1970. */
export function relativeTime(at: number, now: number, locale: string, timeZone?: string): string {
  const distance = at - now;
  const size = Math.abs(distance);
  if (size < minuteMs) return 'just now';
  const relative = relativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  if (size < hourMs) return relative.format(Math.trunc(distance / minuteMs), 'minute');
  if (size < dayMs) return relative.format(Math.trunc(distance / hourMs), 'hour');
  return dateTimeFormat(locale, {
    day: 'numeric',
    month: 'short',
    year: size > 300 * dayMs ? 'numeric' : undefined,
    timeZone,
  }).format(at);
}

/** The exact moment, for a tooltip. */
export function exactTime(at: number, locale: string, timeZone?: string): string {
  return dateTimeFormat(locale, {
    dateStyle: 'full',
    timeStyle: 'short',
    timeZone,
  }).format(at);
}

/** The time of day, as the reader's language writes it. */
export function clockTime(at: number, locale: string, timeZone?: string): string {
  return dateTimeFormat(locale, { timeStyle: 'short', timeZone }).format(at);
}
