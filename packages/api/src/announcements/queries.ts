import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, isoTime, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type { Announcement, listInput, listOutput, saveInput } from './contract.ts';

/** Announcements as the API shows them; `rows` selects from `public.announcements`. */
function read(tx: UserTransaction, rows: SQL) {
  return tx.execute<Announcement>(sql`
    with wanted as materialized (${rows})
    select
      wanted.id,
      wanted.title,
      wanted.content,
      wanted.status,
      ${isoTime(sql`wanted.scheduled_at`)} as "scheduledAt",
      ${isoTime(sql`wanted.sent_at`)} as "sentAt",
      wanted.recipient_count as "recipientCount",
      reads.read_count as "readCount",
      coalesce((
        select jsonb_agg(
          jsonb_build_object('id', course.id, 'slug', course.slug, 'title', course.title)
          order by course.title, course.id
        )
        from public.announcement_courses as target
        join public.courses as course on course.id = target.course_id
        where target.announcement_id = wanted.id
      ), '[]') as "courses",
      ${isoTime(sql`wanted.created_at`)} as "createdAt"
    from wanted
    left join public.announcement_reads(array(select id from wanted)) as reads
      on reads.announcement_id = wanted.id
    order by wanted.created_at desc, wanted.id desc`);
}

/** A part of what the user has announced or is about to, newest first. */
export async function listAnnouncements(
  tx: UserTransaction,
  userId: string,
  { cursor, limit }: z.output<typeof listInput>,
): Promise<z.infer<typeof listOutput>> {
  const rows = await read(
    tx,
    sql`
      select * from public.announcements as announcement
      where announcement.author_id = ${userId}::uuid
        and ${isAfter(cursor, sql`announcement.created_at`, sql`announcement.id`)}
      order by announcement.created_at desc, announcement.id desc
      limit ${rowCount(limit + 1)}`,
  );
  return toPage(rows, limit, (row) => row);
}

/** An announcement that the user may see. */
export async function findAnnouncement(tx: UserTransaction, id: string): Promise<Announcement> {
  const [row] = await read(tx, sql`select * from public.announcements where id = ${id}::uuid`);
  if (!row) throw new ApiError('ANNOUNCEMENT_NOT_FOUND');
  return row;
}

/** Writes an announcement that isn't sent yet. The database checks the courses. */
export async function saveAnnouncement(
  tx: UserTransaction,
  { id, title, content, courseIds, scheduledAt }: z.output<typeof saveInput>,
): Promise<Announcement> {
  await tx.execute(sql`
    select public.save_announcement(
      ${id}::uuid, ${title}, ${content},
      array(select jsonb_array_elements_text(${JSON.stringify(courseIds)}::text::jsonb)::uuid),
      ${scheduledAt}::timestamptz
    )`);
  return findAnnouncement(tx, id);
}

/** Sends an announcement of the user's now; one that was sent stays sent. */
export async function sendAnnouncement(
  tx: UserTransaction,
  id: string,
): Promise<{ recipientCount: number }> {
  return onlyRow(
    await tx.execute<{ recipientCount: number }>(
      sql`select public.send_announcement(${id}::uuid) as "recipientCount"`,
    ),
  );
}

/** Removes an announcement of the user's that isn't sent yet. */
export async function removeAnnouncement(tx: UserTransaction, id: string): Promise<{ id: string }> {
  const { isRemoved } = onlyRow(
    await tx.execute<{ isRemoved: boolean }>(
      sql`select public.remove_announcement(${id}::uuid) as "isRemoved"`,
    ),
  );
  if (!isRemoved) throw new ApiError('ANNOUNCEMENT_NOT_FOUND');
  return { id };
}
