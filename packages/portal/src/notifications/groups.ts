import type { Notification } from '@homeroom/api/contract';
import { readerDays } from '@homeroom/ui/reader-days';

/** Notifications of one day. */
export type DayGroup = { key: string; label: string; items: Notification[] };

/**
 * Groups a list by the reader's day: today, yesterday, then the date; snoozed ones by the day on
 * which they come back.
 * @param now milliseconds since 1970
 */
export function groupByDay(
  list: readonly Notification[],
  now: number,
  locale: string,
  timeZone?: string,
): DayGroup[] {
  const { keyOf, labelOf } = readerDays(now, locale, timeZone);
  const groups: DayGroup[] = [];
  for (const item of list) {
    const at = Date.parse(item.snoozedUntil ?? item.listedAt);
    const key = keyOf(at);
    const last = groups.at(-1);
    if (last?.key === key) last.items.push(item);
    else groups.push({ key, label: labelOf(at), items: [item] });
  }
  return groups;
}
