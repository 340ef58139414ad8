import type { Notification } from '@homeroom/api/contract';

/** Notifications of one day. */
export type DayGroup = { key: string; label: string; items: Notification[] };

const dayMs = 86_400_000;

/**
 * Groups a list, newest first, by the reader's day: today, yesterday, then the date.
 * @param now milliseconds since 1970
 */
export function groupByDay(
  list: readonly Notification[],
  now: number,
  locale: string,
  timeZone?: string,
): DayGroup[] {
  const dayOf = new Intl.DateTimeFormat('en-CA', { timeZone });
  const labelOf = new Intl.DateTimeFormat(locale, {
    ...{ weekday: 'long', day: 'numeric', month: 'long' },
    timeZone,
  });
  const today = dayOf.format(now);
  const yesterday = dayOf.format(now - dayMs);

  const groups: DayGroup[] = [];
  for (const item of list) {
    const at = Date.parse(item.createdAt);
    const key = dayOf.format(at);
    const last = groups.at(-1);
    if (last?.key === key) {
      last.items.push(item);
      continue;
    }
    const label = key === today ? 'Today' : key === yesterday ? 'Yesterday' : labelOf.format(at);
    groups.push({ key, label, items: [item] });
  }
  return groups;
}
