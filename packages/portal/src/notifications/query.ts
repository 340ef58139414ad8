import type { CalendarDate } from '@internationalized/date';
import { parseDate, toZoned } from '@internationalized/date';
import {
  NOTIFICATION_BOXES,
  NOTIFICATION_TYPES,
  type NotificationBox,
  type NotificationType,
} from '@homeroom/api/kinds';

/** The box and the filters of the notification centre as its address has them; empty means all. */
export type NotificationQuery = {
  box: NotificationBox;
  type: string;
  read: string;
  from: string;
  to: string;
};

/**
 * Reads the filters out of an address; what makes no sense is left out.
 * Dates are whole days of the reader's, both ends included.
 */
export function readNotificationQuery(params: URLSearchParams, timeZone: string) {
  const value = (name: string) => params.get(name) ?? '';
  const box = NOTIFICATION_BOXES.find((known) => known === value('box')) ?? 'inbox';
  const type = NOTIFICATION_TYPES.find((known) => known === value('type'));
  const read = ['true', 'false'].includes(value('read')) ? value('read') : '';
  const first = readDay(value('from'));
  const given = readDay(value('to'));
  const last = given && first && given.compare(first) < 0 ? undefined : given;
  const query: NotificationQuery = {
    box,
    type: type ?? '',
    read,
    from: first?.toString() ?? '',
    to: last?.toString() ?? '',
  };
  const filters: {
    box?: NotificationBox;
    type?: NotificationType;
    read?: boolean;
    from?: string;
    to?: string;
  } = {
    ...(box !== 'inbox' && { box }),
    ...(type && { type }),
    ...(read && { read: read === 'true' }),
    ...(first && { from: startOf(first, timeZone).toISOString() }),
    ...(last && { to: justBefore(startOf(last.add({ days: 1 }), timeZone)) }),
  };
  return { query, filters };
}

/** A day such as `2026-11-21`; undefined for what is none. */
function readDay(text: string): CalendarDate | undefined {
  try {
    return parseDate(text);
  } catch {
    // The only way in which parseDate says that a text is no date.
    return undefined;
  }
}

/** When a day begins where the reader is: not always at midnight, and never twice. */
function startOf(day: CalendarDate, timeZone: string): Date {
  return toZoned(day, timeZone).toDate();
}

/** The last microsecond before a moment: what the API includes is included. */
function justBefore(moment: Date): string {
  return new Date(moment.getTime() - 1).toISOString().replace('Z', '999Z');
}
