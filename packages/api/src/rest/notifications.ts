import * as z from 'zod';
import {
  momentSchema,
  notificationInput,
  notificationTypeSchema,
  type Notification,
} from '../notifications/contract.ts';
import { parseInput, type Envelope } from './envelopes.ts';
import { wholeNumber } from './query-string.ts';
import type { RestCall, RestRoute } from './rest.ts';

/** The query string of the list; names and defaults are the guide's. */
const listQuery = z
  .object({
    type: notificationTypeSchema.optional(),
    read: z
      .enum(['true', 'false'])
      .transform((read) => read === 'true')
      .optional(),
    page: wholeNumber(1, 100_000, 1),
    limit: wholeNumber(1, 100, 20),
    dateFrom: momentSchema.optional(),
    dateTo: momentSchema.optional(),
  })
  .refine(
    ({ dateFrom, dateTo }) => !dateFrom || !dateTo || Date.parse(dateFrom) <= Date.parse(dateTo),
    { path: ['dateTo'], error: 'Lies before dateFrom' },
  );

const updateBody = z.object({ action: z.enum(['read', 'unread']) });

/** A notification as the guide's routes show it. */
function toRow(notification: Notification, userId: string) {
  const { id, type, title, message, data, readAt, createdAt } = notification;
  return {
    id,
    user_id: userId,
    type,
    title,
    message,
    data,
    read_at: readAt,
    created_at: createdAt,
  };
}

async function list({ caller, userId, url }: RestCall): Promise<Envelope> {
  // An empty parameter is what a form sends for "all".
  const given = [...url.searchParams].filter(([, value]) => value !== '');
  const query = parseInput(listQuery, Object.fromEntries(given));
  const { dateFrom: from, dateTo: to, page, limit, type, read } = query;
  const found = await caller.notifications.page({ type, read, from, to, page, limit });
  return {
    data: found.items.map((notification) => toRow(notification, userId)),
    meta: {
      total: found.total,
      unread: found.unread,
      page,
      limit,
      pages: Math.ceil(found.total / limit),
    },
  };
}

async function update({ caller, userId, params, body }: RestCall): Promise<Envelope> {
  const { id } = parseInput(notificationInput, params);
  const { action } = parseInput(updateBody, await body());
  const { notification } =
    action === 'read'
      ? await caller.notifications.markAsRead({ id })
      : await caller.notifications.markAsUnread({ id });
  return { data: toRow(notification, userId) };
}

async function remove({ caller, params }: RestCall): Promise<Envelope> {
  const { id } = parseInput(notificationInput, params);
  return { data: await caller.notifications.remove({ id }) };
}

/** The guide's route names no notification: "all" ends with the newest there is now. */
async function markAllRead({ caller }: RestCall): Promise<Envelope> {
  const [newest] = (await caller.notifications.list({ limit: 1 })).data.items;
  if (!newest) return { data: { updated_count: 0 } };
  const through = { createdAt: newest.listedAt, id: newest.id };
  const { updatedCount } = await caller.notifications.markAllAsRead({ through });
  return { data: { updated_count: updatedCount } };
}

/**
 * The guide's notification routes. They show whoever calls their own notifications: the inbox, which
 * is all there is for those who archive and snooze nothing.
 */
export const notificationRoutes: RestRoute[] = [
  { path: '/api/instructor/notifications', methods: { GET: list } },
  { path: '/api/instructor/notifications/mark-all-read', methods: { POST: markAllRead } },
  { path: '/api/instructor/notifications/:id', methods: { PUT: update, DELETE: remove } },
];
