import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isoTime } from '../server/fragments.ts';
import type {
  historyOutput,
  messagesInput,
  messagesOutput,
  sendInput,
  ThreadMessage,
  ThreadPart,
} from './contract.ts';

/** A message as the caller sees it; the row is called `message`. */
export const messageAsJson = sql`(
  private.thread_message_json(message)
    || private.thread_message_surroundings(message.id)
)`;

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
