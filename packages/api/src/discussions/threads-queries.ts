import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type { openInput, Thread, ThreadList, ThreadReader, threadsInput } from './contract.ts';
import { sendMessage } from './messages-queries.ts';

/** The topic on which a course's threads are told. */
const courseTopic = (courseId: string) => `course:${courseId}`;

/** A course's threads: the pinned ones on the first page, then those with the newest message. */
export async function listThreads(
  tx: UserTransaction,
  { courseId, lessonId, isAnswered, cursor, limit }: z.output<typeof threadsInput>,
): Promise<Live<ThreadList>> {
  const topic = courseTopic(courseId);
  const wanted = sql.join(
    [
      sql`thread.course_id = ${courseId}::uuid`,
      ...(lessonId ? [sql`thread.lesson_id = ${lessonId}::uuid`] : []),
      ...(isAnswered === undefined ? [] : [sql`(thread.answer_id is not null) = ${isAnswered}`]),
    ],
    sql` and `,
  );
  const inOrder = (condition: SQL, rows?: number) => sql`
    select coalesce(jsonb_agg(
      private.thread_json(thread) order by thread.last_message_at desc, thread.id desc
    ), '[]')
    from (
      select *
      from public.discussion_threads as thread
      where ${wanted} and ${condition}
      order by thread.last_message_at desc, thread.id desc
      ${rows === undefined ? sql`` : sql`limit ${rowCount(rows)}`}
    ) as thread`;
  const row = onlyRow(
    await tx.execute<{ pinned: Thread[]; others: Thread[]; isMember: boolean; seq: number }>(sql`
      select
        (${cursor ? sql`select '[]'::jsonb` : inOrder(sql`thread.is_pinned`)}) as "pinned",
        (${inOrder(
          sql`not thread.is_pinned
            and ${isAfter(cursor, sql`thread.last_message_at`, sql`thread.id`)}`,
          limit + 1,
        )}) as "others",
        ${courseId}::uuid in (select private.joined_course_ids()) as "isMember",
        ${liveHead(topic)} as "seq"`),
  );
  if (!row.isMember) throw new ApiError('COURSE_NOT_FOUND');
  const { items, nextCursor } = toPage(row.others, limit, ({ id, lastMessageAt }) => ({
    id,
    createdAt: lastMessageAt,
  }));
  return {
    data: { items: [...row.pinned, ...items], nextCursor },
    cursor: { topic, seq: row.seq },
  };
}

/** How far the user has read in each thread of a course that they have opened. */
export async function listReaders(
  tx: UserTransaction,
  userId: string,
  courseId: string,
): Promise<Live<{ items: ThreadReader[] }>> {
  const topic = userTopic(userId);
  const row = onlyRow(
    await tx.execute<{ items: ThreadReader[]; seq: number }>(sql`
      select
        coalesce((
          select jsonb_agg(private.thread_reader_json(reader))
          from public.thread_readers as reader
          join public.discussion_threads as thread on thread.id = reader.thread_id
          where reader.user_id = ${userId}::uuid and thread.course_id = ${courseId}::uuid
        ), '[]') as "items",
        ${liveHead(topic)} as "seq"`),
  );
  return { data: { items: row.items }, cursor: { topic, seq: row.seq } };
}

/** How far the user has read in one thread. */
export async function readReader(
  tx: UserTransaction,
  userId: string,
  threadId: string,
): Promise<Live<{ reader: ThreadReader | null }>> {
  const topic = userTopic(userId);
  const row = onlyRow(
    await tx.execute<{ reader: ThreadReader | null; seq: number }>(sql`
      select
        (
          select private.thread_reader_json(reader)
          from public.thread_readers as reader
          where reader.thread_id = ${threadId}::uuid and reader.user_id = ${userId}::uuid
        ) as "reader",
        ${liveHead(topic)} as "seq"`),
  );
  return { data: { reader: row.reader }, cursor: { topic, seq: row.seq } };
}

/** Opens a thread with its first message; gives the one that there is already under its id. */
export async function openThread(
  tx: UserTransaction,
  userId: string,
  { id, messageId, courseId, lessonId, title, content }: z.output<typeof openInput>,
): Promise<{ thread: Thread }> {
  await tx.execute(sql`
    insert into public.discussion_threads (id, course_id, lesson_id, title, created_by)
    select ${id}::uuid, ${courseId}::uuid, ${lessonId ?? null}::uuid, ${title}, ${userId}::uuid
    where not exists (
      select from public.discussion_threads
      where id = ${id}::uuid and created_by = ${userId}::uuid
    )`);
  await sendMessage(tx, userId, { id: messageId, threadId: id, content });
  return readThreadHead(tx, id);
}

async function readThreadHead(tx: UserTransaction, threadId: string): Promise<{ thread: Thread }> {
  const [row] = await tx.execute<{ thread: Thread }>(sql`
    select private.thread_json(thread) as "thread"
    from public.discussion_threads as thread
    where thread.id = ${threadId}::uuid`);
  if (!row) throw new ApiError('THREAD_NOT_FOUND');
  return row;
}

/** Moves how far the user has read; `unread` goes back, `read` never does. */
export async function markThread(
  tx: UserTransaction,
  to: 'read' | 'unread',
  threadId: string,
  number: number,
): Promise<{ reader: ThreadReader }> {
  const call =
    to === 'read'
      ? sql`private.mark_thread_read(${threadId}::uuid, ${number}::integer)`
      : sql`private.mark_thread_unread(${threadId}::uuid, ${number}::integer)`;
  return onlyRow(await tx.execute<{ reader: ThreadReader }>(sql`select ${call} as "reader"`));
}

/** Sets how closely the user follows a thread. */
export async function followThread(
  tx: UserTransaction,
  threadId: string,
  level: string,
): Promise<{ reader: ThreadReader }> {
  return onlyRow(
    await tx.execute<{ reader: ThreadReader }>(
      sql`select private.follow_thread(${threadId}::uuid, ${level}) as "reader"`,
    ),
  );
}
