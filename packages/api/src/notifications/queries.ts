import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import { liveHead, userTopic } from '../live/queries.ts';
import type { Live } from '../live/contract.ts';
import type { Keyset } from '../pagination/contract.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, rowCount, toPage } from '../server/fragments.ts';
import type {
  Notification,
  NotificationSnapshot,
  listInput,
  pageNumberInput,
  pageNumberOutput,
} from './contract.ts';

type Filter = Pick<z.output<typeof listInput>, 'type' | 'read' | 'from' | 'to'>;

/** A row as the API and the events show it: one function of the database for both. */
const asJson = sql`private.notification_json(notification)`;

/** Which of the user's notifications the filter lets through. */
function matching(userId: string, { type, read, from, to }: Filter): SQL {
  const conditions = [sql`notification.user_id = ${userId}::uuid`];
  if (type) conditions.push(sql`notification.type = ${type}`);
  if (read === true) conditions.push(sql`notification.read_at is not null`);
  if (read === false) conditions.push(sql`notification.read_at is null`);
  if (from) conditions.push(sql`notification.created_at >= ${from}::timestamptz`);
  if (to) conditions.push(sql`notification.created_at <= ${to}::timestamptz`);
  return sql.join(conditions, sql` and `);
}

/** How many of the user's notifications are unread, whatever the filter. */
function unreadCountOf(userId: string): SQL {
  return sql`(
    select count(*)::integer
    from public.notifications
    where user_id = ${userId}::uuid and read_at is null
  )`;
}

/** A part of the user's list, newest first; one row more is read to know whether there is more. */
export async function listNotifications(
  tx: UserTransaction,
  userId: string,
  { cursor, limit, ...filter }: z.output<typeof listInput>,
): Promise<Live<NotificationSnapshot>> {
  const topic = userTopic(userId);
  const [row] = await tx.execute<{ items: Notification[]; unreadCount: number; seq: number }>(sql`
    select
      coalesce((
        select jsonb_agg(${asJson} order by notification.created_at desc, notification.id desc)
        from (
          select *
          from public.notifications as notification
          where ${matching(userId, filter)}
            and ${isAfter(cursor, sql`notification.created_at`, sql`notification.id`)}
          order by notification.created_at desc, notification.id desc
          limit ${rowCount(limit + 1)}
        ) as notification
      ), '[]') as "items",
      ${unreadCountOf(userId)} as "unreadCount",
      ${liveHead(topic)} as "seq"`);
  if (!row) throw new Error('A select without from gave no row');
  const { items, nextCursor } = toPage(row.items, limit, (item) => item);
  return {
    data: { items, unreadCount: row.unreadCount, nextCursor },
    cursor: { topic, seq: row.seq },
  };
}

/** A numbered page of the user's list, with how many there are in all. */
export async function listNotificationPage(
  tx: UserTransaction,
  userId: string,
  { page, limit, ...filter }: z.output<typeof pageNumberInput>,
): Promise<z.infer<typeof pageNumberOutput>> {
  const [row] = await tx.execute<z.infer<typeof pageNumberOutput>>(sql`
    select
      coalesce((
        select jsonb_agg(${asJson} order by notification.created_at desc, notification.id desc)
        from (
          select *
          from public.notifications as notification
          where ${matching(userId, filter)}
          order by notification.created_at desc, notification.id desc
          limit ${rowCount(limit)} offset ${(page - 1) * limit}
        ) as notification
      ), '[]') as "items",
      (
        select count(*)::integer
        from public.notifications as notification
        where ${matching(userId, filter)}
      ) as "total",
      ${unreadCountOf(userId)} as "unread"`);
  if (!row) throw new Error('A select without from gave no row');
  return row;
}

/** How many of the user's notifications are unread. */
export async function countUnread(
  tx: UserTransaction,
  userId: string,
): Promise<Live<{ unreadCount: number }>> {
  const topic = userTopic(userId);
  const [row] = await tx.execute<{ unreadCount: number; seq: number }>(sql`
    select ${unreadCountOf(userId)} as "unreadCount", ${liveHead(topic)} as "seq"`);
  if (!row) throw new Error('A select without from gave no row');
  return { data: { unreadCount: row.unreadCount }, cursor: { topic, seq: row.seq } };
}

/** Marks one as read or unread. The moment of the first reading stays. */
export async function setRead(
  tx: UserTransaction,
  userId: string,
  id: string,
  isRead: boolean,
): Promise<{ notification: Notification }> {
  const readAt = isRead ? sql`coalesce(notification.read_at, now())` : sql`null`;
  const [row] = await tx.execute<{ notification: Notification }>(sql`
    update public.notifications as notification
    set read_at = ${readAt}
    where notification.id = ${id}::uuid and notification.user_id = ${userId}::uuid
    returning ${asJson} as "notification"`);
  if (!row) throw new ApiError('NOTIFICATION_NOT_FOUND');
  return row;
}

/** Marks everything up to `through` as read, that one included. */
export async function markAllAsRead(
  tx: UserTransaction,
  through: Keyset,
): Promise<{ updatedCount: number }> {
  const [row] = await tx.execute<{ updatedCount: number }>(sql`
    select public.mark_notifications_read(
      ${through.createdAt}::timestamptz,
      ${through.id}::uuid
    ) as "updatedCount"`);
  if (!row) throw new Error('mark_notifications_read gave no row');
  return row;
}

/** Removes one. */
export async function removeNotification(
  tx: UserTransaction,
  userId: string,
  id: string,
): Promise<{ id: string }> {
  const [row] = await tx.execute<{ id: string }>(sql`
    delete from public.notifications
    where id = ${id}::uuid and user_id = ${userId}::uuid
    returning id`);
  if (!row) throw new ApiError('NOTIFICATION_NOT_FOUND');
  return { id: row.id };
}
