import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, isoTime, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type {
  historyOutput,
  mentionableInput,
  mentionableOutput,
  messagesInput,
  messagesOutput,
  openInput,
  searchInput,
  searchOutput,
  sendInput,
  Thread,
  ThreadList,
  ThreadMessage,
  ThreadPart,
  ThreadReader,
  threadsInput,
} from './contract.ts';

/** The topic on which a course's threads are told. */
const courseTopic = (courseId: string) => `course:${courseId}`;

/** A message as the caller sees it; the row is called `message`. */
export const messageAsJson = sql`(
  private.thread_message_json(message)
    || private.thread_message_surroundings(message.id)
)`;

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

/** The number of the first message of the part that is asked for; numbers have no holes. */
function firstNumber({
  before,
  after,
  around,
  aroundMessage,
  limit,
}: z.output<typeof messagesInput>): SQL {
  if (before !== undefined) return sql`${before - limit}::integer`;
  if (after !== undefined) return sql`${after + 1}::integer`;
  const half = Math.floor(limit / 2);
  const middle =
    around === undefined
      ? sql`(
          select message.number
          from public.thread_messages as message
          where message.id = ${aroundMessage ?? null}::uuid and message.thread_id = thread.id
        )`
      : sql`${around}::integer`;
  // Without a middle (nothing was named, or nothing that there is), the newest ones.
  return sql`greatest(
    least(${middle} - ${half}::integer, thread.last_number - ${limit - 1}::integer), 1
  )`;
}

/** A part of a thread, oldest first, as exact ranges of numbers: it costs the same anywhere. */
export async function readThread(
  tx: UserTransaction,
  userId: string,
  input: z.output<typeof messagesInput>,
): Promise<Live<ThreadPart>> {
  const { threadId, before, limit } = input;
  const topic = `thread:${threadId}`;
  const end = before === undefined ? sql`first + ${limit}::integer` : sql`${before}::integer`;
  const [row] = await tx.execute<z.infer<typeof messagesOutput>['data'] & { seq: number }>(sql`
    select
      private.thread_json(thread) as "thread",
      (
        select private.thread_reader_json(reader)
        from public.thread_readers as reader
        where reader.thread_id = thread.id and reader.user_id = ${userId}::uuid
      ) as "reader",
      coalesce((
        select jsonb_agg(${messageAsJson} order by message.number)
        from public.thread_messages as message
        where message.thread_id = thread.id
          and message.number >= first
          and message.number < ${end}
      ), '[]') as "items",
      ${liveHead(topic)} as "seq"
    from public.discussion_threads as thread
    cross join lateral (select ${firstNumber(input)} as first) as span
    where thread.id = ${threadId}::uuid`);
  if (!row) throw new ApiError('THREAD_NOT_FOUND');
  const { seq, ...data } = row;
  return { data, cursor: { topic, seq } };
}

/** Writes a message; gives the one that there is already under its id. */
export async function sendMessage(
  tx: UserTransaction,
  userId: string,
  { id, threadId, content, parentId }: z.output<typeof sendInput>,
): Promise<{ message: ThreadMessage }> {
  const [sent] = await tx.execute<{ message: ThreadMessage }>(sql`
    insert into public.thread_messages as message (id, thread_id, sender_id, parent_id, content)
    values (${id}::uuid, ${threadId}::uuid, ${userId}::uuid, ${parentId ?? null}::uuid, ${content})
    returning ${messageAsJson} as "message"`);
  return sent ?? readMessage(tx, id);
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

/** One message, as the caller sees it. */
export async function readMessage(
  tx: UserTransaction,
  messageId: string,
): Promise<{ message: ThreadMessage }> {
  const [row] = await tx.execute<{ message: ThreadMessage }>(sql`
    select ${messageAsJson} as "message"
    from public.thread_messages as message
    where message.id = ${messageId}::uuid`);
  if (!row) throw new ApiError('MESSAGE_NOT_FOUND');
  return row;
}

/** Changes what one of the user's messages says. */
export async function editMessage(
  tx: UserTransaction,
  userId: string,
  messageId: string,
  content: string,
): Promise<{ message: ThreadMessage }> {
  const [edited] = await tx.execute<{ message: ThreadMessage }>(sql`
    update public.thread_messages as message
    set content = ${content}
    where message.id = ${messageId}::uuid
    returning ${messageAsJson} as "message"`);
  if (edited) return edited;
  const { message } = await readMessage(tx, messageId);
  if (message.deletedAt !== null) throw new ApiError('MESSAGE_NOT_FOUND');
  throw new ApiError(message.sender?.id === userId ? 'THREAD_CLOSED' : 'FORBIDDEN');
}

/** Empties a message; it keeps its place. */
export async function removeMessage(
  tx: UserTransaction,
  messageId: string,
): Promise<{ message: ThreadMessage }> {
  await tx.execute(sql`select private.delete_thread_message(${messageId}::uuid)`);
  return readMessage(tx, messageId);
}

/** What a message said before, oldest first. */
export async function readHistory(
  tx: UserTransaction,
  messageId: string,
): Promise<z.infer<typeof historyOutput>> {
  const items = await tx.execute<z.infer<typeof historyOutput>['items'][number]>(sql`
    select
      revision.content,
      ${isoTime(sql`revision.written_at`)} as "writtenAt",
      ${isoTime(sql`revision.replaced_at`)} as "replacedAt"
    from public.thread_message_revisions as revision
    where revision.message_id = ${messageId}::uuid
    order by revision.id`);
  return { items: [...items] };
}

/** Puts a sign of the user's under a message, or takes it away; repeated, it changes nothing. */
export async function react(
  tx: UserTransaction,
  userId: string,
  messageId: string,
  emoji: string,
  isOn: boolean,
): Promise<{ isOn: boolean }> {
  await tx.execute(
    isOn
      ? sql`
          insert into public.thread_message_reactions (message_id, user_id, emoji)
          values (${messageId}::uuid, ${userId}::uuid, ${emoji})
          on conflict (message_id, emoji, user_id) do nothing`
      : sql`
          delete from public.thread_message_reactions
          where message_id = ${messageId}::uuid
            and user_id = ${userId}::uuid
            and emoji = ${emoji}`,
  );
  return { isOn };
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

/** A text as its parts: the database sets control character 1 before a match, and 2 behind it. */
function toParts(marked: string): { text: string; isMatch: boolean }[] {
  const [before = '', ...matches] = marked.split('\u0001');
  const parts = matches.flatMap((match) => {
    const [text = '', after = ''] = match.split('\u0002');
    return [
      { text, isMatch: true },
      { text: after, isMatch: false },
    ];
  });
  return [{ text: before, isMatch: false }, ...parts].filter(({ text }) => text !== '');
}

/** The messages of a course that hold the words, best first. */
export async function searchMessages(
  tx: UserTransaction,
  { courseId, words, limit, offset }: z.output<typeof searchInput>,
): Promise<z.infer<typeof searchOutput>> {
  type Hit = Omit<z.infer<typeof searchOutput>['items'][number], 'excerpt'> & { excerpt: string };
  const { hits } = onlyRow(
    await tx.execute<{ hits: Hit[] }>(sql`
      select private.search_thread_messages(
        ${courseId}::uuid, ${words}, ${limit}::integer, ${offset}::integer
      ) as "hits"`),
  );
  return { items: hits.map((hit) => ({ ...hit, excerpt: toParts(hit.excerpt) })) };
}

/** Those in a course whose first or last name begins so, staff first. */
export async function listMentionable(
  tx: UserTransaction,
  { courseId, words }: z.output<typeof mentionableInput>,
): Promise<z.infer<typeof mentionableOutput>> {
  return onlyRow(
    await tx.execute<z.infer<typeof mentionableOutput>>(sql`
      select private.find_course_people(${courseId}::uuid, ${words}, 8) as "items"`),
  );
}
