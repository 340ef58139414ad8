import { dateTimeFormat } from './formatters.ts';

/**
 * When something takes place, as people say it: `Sat 21 November, 18:00–19:30`. Both ends in
 * milliseconds since 1970.
 */
export function timeRange(from: number, to: number, locale: string, timeZone?: string): string {
  return dateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
  }).formatRange(from, to);
}
