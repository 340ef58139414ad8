import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import { liveHead, userTopic } from '../live/queries.ts';
import type { Live } from '../live/contract.ts';
import type { Keyset } from '../pagination/contract.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, isLater, rowCount, toPage } from '../server/fragments.ts';
import type {
  Notification,
  NotificationBox,
  NotificationSnapshot,
  listInput,
  pageNumberInput,
  pageNumberOutput,
} from './contract.ts';

type Filter = Pick<z.output<typeof listInput>, 'type' | 'read' | 'from' | 'to'>;

/** A row as the API and the events show it: one function of the database for both. */
const asJson = sql`private.notification_json(notification)`;

/**
 * What is in a box. Literals, not parameters: a plan that is made once for all boxes couldn't use
 * the indexes of one.
 */
const isIn: Record<NotificationBox, SQL> = {
  inbox: sql`notification.box = 'inbox'`,
  snoozed: sql`notification.box = 'snoozed'`,
  archived: sql`notification.box = 'archived'`,
};

const newestFirst = sql`notification.listed_at desc, notification.id desc`;

/** Which of the user's notifications in a box the filter lets through. */
function matching(userId: string, box: NotificationBox, { type, read, from, to }: Filter): SQL {
  const conditions = [sql`notification.user_id = ${userId}::uuid`, isIn[box]];
  if (type) conditions.push(sql`notification.type = ${type}`);
  if (read === true) conditions.push(sql`notification.read_at is not null`);
  if (read === false) conditions.push(sql`notification.read_at is null`);
  if (from) conditions.push(sql`notification.created_at >= ${from}::timestamptz`);
  if (to) conditions.push(sql`notification.created_at <= ${to}::timestamptz`);
  return sql.join(conditions, sql` and `);
}

/** How many notifications in the user's inbox are unread, whatever the filter. */
function unreadCountOf(userId: string): SQL {
  return sql`(
    select count(*)::integer
    from public.notifications
    where user_id = ${userId}::uuid and box = 'inbox' and read_at is null
  )`;
}

/**
 * The order of a box, and where one goes on in it. What a person has snoozed is sorted: an index for
 * so few would make each notification dearer.
 */
function orderIn(box: NotificationBox, cursor: Keyset | undefined) {
  const id = sql`notification.id`;
  if (box === 'snoozed') {
    const moment = sql`notification.snoozed_until`;
    return { isNext: isLater(cursor, moment, id), order: sql`${moment}, ${id}` };
  }
  return { isNext: isAfter(cursor, sql`notification.listed_at`, id), order: newestFirst };
}

/** A part of a box of the user's; one row more is read to know whether there is more. */
export async function listNotifications(
  tx: UserTransaction,
  userId: string,
  { cursor, limit, box, ...filter }: z.output<typeof listInput>,
): Promise<Live<NotificationSnapshot>> {
  const topic = userTopic(userId);
  const { isNext, order } = orderIn(box, cursor);
  const [row] = await tx.execute<{ items: Notification[]; unreadCount: number; seq: number }>(sql`
    select
      coalesce((
        select jsonb_agg(${asJson} order by ${order})
        from (
          select *
          from public.notifications as notification
          where ${matching(userId, box, filter)} and ${isNext}
          order by ${order}
          limit ${rowCount(limit + 1)}
        ) as notification
      ), '[]') as "items",
      ${unreadCountOf(userId)} as "unreadCount",
      ${liveHead(topic)} as "seq"`);
  if (!row) throw new Error('A select without from gave no row');
  const { items, nextCursor } = toPage(row.items, limit, ({ id, listedAt, snoozedUntil }) => ({
    createdAt: box === 'snoozed' ? (snoozedUntil ?? listedAt) : listedAt,
    id,
  }));
  return {
    data: { items, unreadCount: row.unreadCount, nextCursor },
    cursor: { topic, seq: row.seq },
  };
}

/** A numbered page of the user's inbox, with how many there are in all. */
export async function listNotificationPage(
  tx: UserTransaction,
  userId: string,
  { page, limit, ...filter }: z.output<typeof pageNumberInput>,
): Promise<z.infer<typeof pageNumberOutput>> {
  const [row] = await tx.execute<z.infer<typeof pageNumberOutput>>(sql`
    select
      coalesce((
        select jsonb_agg(${asJson} order by ${newestFirst})
        from (
          select *
          from public.notifications as notification
          where ${matching(userId, 'inbox', filter)}
          order by ${newestFirst}
          limit ${rowCount(limit)} offset ${(page - 1) * limit}
        ) as notification
      ), '[]') as "items",
      (
        select count(*)::integer
        from public.notifications as notification
        where ${matching(userId, 'inbox', filter)}
      ) as "total",
      ${unreadCountOf(userId)} as "unread"`);
  if (!row) throw new Error('A select without from gave no row');
  return row;
}

/** How many notifications in the user's inbox are unread. */
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

/** Changes one, and gives it as it is then. */
async function change(
  tx: UserTransaction,
  userId: string,
  id: string,
  changes: SQL,
): Promise<{ notification: Notification }> {
  const [row] = await tx.execute<{ notification: Notification }>(sql`
    update public.notifications as notification
    set ${changes}
    where notification.id = ${id}::uuid and notification.user_id = ${userId}::uuid
    returning ${asJson} as "notification"`);
  if (!row) throw new ApiError('NOTIFICATION_NOT_FOUND');
  return row;
}

/** Marks one as read or unread. The moment of the first reading stays. */
export function setRead(tx: UserTransaction, userId: string, id: string, isRead: boolean) {
  const readAt = isRead ? sql`coalesce(notification.read_at, now())` : sql`null`;
  return change(tx, userId, id, sql`read_at = ${readAt}`);
}

/** Puts one away, or takes it back into the inbox. The moment of the first archiving stays. */
export function setArchived(tx: UserTransaction, userId: string, id: string, isArchived: boolean) {
  const changes = isArchived
    ? sql`archived_at = coalesce(notification.archived_at, now()), snoozed_until = null`
    : sql`archived_at = null`;
  return change(tx, userId, id, changes);
}

/** Puts one off until a moment, or takes it back into the inbox. */
export function setSnoozed(tx: UserTransaction, userId: string, id: string, until: string | null) {
  const changes =
    until === null
      ? sql`snoozed_until = null`
      : sql`snoozed_until = ${until}::timestamptz, archived_at = null`;
  return change(tx, userId, id, changes);
}

/** Marks everything in the inbox up to `through` as read, that one included. */
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
