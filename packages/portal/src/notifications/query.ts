import { NOTIFICATION_TYPES, type NotificationType } from '@homeroom/api/kinds';

/** The filters of the notification centre as its address has them; empty means all. */
export type NotificationQuery = { type: string; read: string; from: string; to: string };

const day = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Reads the filters out of an address; what makes no sense is left out.
 * Dates are whole days of UTC, both ends included.
 */
export function readNotificationQuery(params: URLSearchParams) {
  const value = (name: string) => params.get(name) ?? '';
  const type = NOTIFICATION_TYPES.find((known) => known === value('type'));
  const read = ['true', 'false'].includes(value('read')) ? value('read') : '';
  const from = day.test(value('from')) ? value('from') : '';
  const to = day.test(value('to')) && value('to') >= from ? value('to') : '';
  const query: NotificationQuery = { type: type ?? '', read, from, to };
  const filters: { type?: NotificationType; read?: boolean; from?: string; to?: string } = {
    ...(type && { type }),
    ...(read && { read: read === 'true' }),
    ...(from && { from: `${from}T00:00:00Z` }),
    ...(to && { to: `${to}T23:59:59.999999Z` }),
  };
  return { query, filters };
}
