import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { Person } from '../identity/person-contract.ts';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type {
  Conversation,
  ConversationList,
  ConversationPart,
  conversationInput,
  conversationsInput,
  DirectMessage,
  reportInput,
  sendInput,
  settingsSchema,
} from './contract.ts';

/** The user's conversations, those with the newest message first, and how many messages are unread. */
export async function listConversations(
  tx: UserTransaction,
  userId: string,
  { cursor, limit }: z.output<typeof conversationsInput>,
): Promise<Live<ConversationList>> {
  const topic = userTopic(userId);
  const row = onlyRow(
    await tx.execute<{ items: Conversation[]; unreadCount: number; seq: number }>(sql`
      select
        coalesce((
          select jsonb_agg(
            private.conversation_json(conversation, ${userId}::uuid)
            order by conversation.last_message_at desc, conversation.id desc
          )
          from (
            select *
            from public.conversations as conversation
            where (conversation.low_id = ${userId}::uuid or conversation.high_id = ${userId}::uuid)
              and ${isAfter(cursor, sql`conversation.last_message_at`, sql`conversation.id`)}
            order by conversation.last_message_at desc, conversation.id desc
            limit ${rowCount(limit + 1)}
          ) as conversation
        ), '[]') as "items",
        (
          select coalesce(sum(conversation.last_number - coalesce(reader.read_number, 0)), 0)::integer
          from public.conversations as conversation
          left join public.conversation_readers as reader
            on reader.conversation_id = conversation.id and reader.user_id = ${userId}::uuid
          where conversation.low_id = ${userId}::uuid or conversation.high_id = ${userId}::uuid
        ) as "unreadCount",
        ${liveHead(topic)} as "seq"`),
  );
  const page = toPage(row.items, limit, ({ id, lastMessageAt }) => ({
    id,
    createdAt: lastMessageAt,
  }));
  return { data: { ...page, unreadCount: row.unreadCount }, cursor: { topic, seq: row.seq } };
}

/** What the user and someone have written each other: the newest, or those before a number. */
export async function readConversation(
  tx: UserTransaction,
  userId: string,
  { userId: otherId, before, limit }: z.output<typeof conversationInput>,
): Promise<Live<ConversationPart>> {
  const topic = userTopic(userId);
  type Row = Omit<ConversationPart, 'with'> & { with: Person | null; seq: number };
  const { seq, ...row } = onlyRow(
    await tx.execute<Row>(sql`
      with conversation as materialized (
        select *
        from public.conversations
        where low_id = least(${userId}::uuid, ${otherId}::uuid)
          and high_id = greatest(${userId}::uuid, ${otherId}::uuid)
      )
      select
        coalesce(
          (select private.conversation_json(conversation, ${userId}::uuid) -> 'with' from conversation),
          (
            select jsonb_build_object(
              'id', profile.id,
              'name', private.display_name(profile.first_name, profile.last_name),
              'avatarUrl', profile.avatar_url
            )
            from public.profiles as profile
            where profile.id = ${otherId}::uuid
          )
        ) as "with",
        (
          select private.conversation_json(conversation, ${userId}::uuid) from conversation
        ) as "conversation",
        private.can_message(${userId}::uuid, ${otherId}::uuid) as "canWrite",
        exists (
          select from public.message_blocks where blocked_id = ${otherId}::uuid
        ) as "isBlocked",
        coalesce((
          select jsonb_agg(private.direct_message_json(message) order by message.number)
          from public.messages as message, conversation
          where message.conversation_id = conversation.id
            and message.number < coalesce(${before ?? null}::integer, conversation.last_number + 1)
            and message.number >= coalesce(${before ?? null}::integer, conversation.last_number + 1)
              - ${limit}::integer
        ), '[]') as "items",
        ${liveHead(topic)} as "seq"`),
  );
  if (!row.with) throw new ApiError('USER_NOT_FOUND');
  return { data: { ...row, with: row.with }, cursor: { topic, seq } };
}

/** Writes to someone; gives the message that there is already under its id. */
export async function sendMessage(
  tx: UserTransaction,
  userId: string,
  { id, userId: recipientId, content }: z.output<typeof sendInput>,
): Promise<{ message: DirectMessage }> {
  const asJson = sql`private.direct_message_json(message) as "message"`;
  const [sent] = await tx.execute<{ message: DirectMessage }>(sql`
    insert into public.messages as message (id, sender_id, recipient_id, content)
    values (${id}::uuid, ${userId}::uuid, ${recipientId}::uuid, ${content})
    returning ${asJson}`);
  if (sent) return sent;
  return onlyRow(
    await tx.execute<{ message: DirectMessage }>(sql`
      select ${asJson} from public.messages as message where message.id = ${id}::uuid`),
  );
}

/** Moves how far the user is in the conversation with someone. */
export async function markConversation(
  tx: UserTransaction,
  otherId: string,
  { read, delivered, mayGoBack }: { read?: number; delivered?: number; mayGoBack?: boolean },
): Promise<{ conversation: Conversation }> {
  return onlyRow(
    await tx.execute<{ conversation: Conversation }>(sql`
      select private.mark_conversation(
        ${otherId}::uuid, ${read ?? null}::integer, ${delivered ?? null}::integer,
        ${mayGoBack ?? false}
      ) as "conversation"`),
  );
}

/** The user wants nothing from someone any more, or again. */
export async function blockPerson(
  tx: UserTransaction,
  userId: string,
  otherId: string,
  isBlocked: boolean,
): Promise<{ isBlocked: boolean }> {
  await tx.execute(
    isBlocked
      ? sql`
          insert into public.message_blocks (blocker_id, blocked_id)
          values (${userId}::uuid, ${otherId}::uuid)
          on conflict (blocker_id, blocked_id) do nothing`
      : sql`
          delete from public.message_blocks
          where blocker_id = ${userId}::uuid and blocked_id = ${otherId}::uuid`,
  );
  return { isBlocked };
}

/** Reports a message to the administrators. */
export async function reportMessage(
  tx: UserTransaction,
  { messageId, reason, note }: z.output<typeof reportInput>,
): Promise<{ reportId: string }> {
  return onlyRow(
    await tx.execute<{ reportId: string }>(sql`
      select private.report_message(${messageId}::uuid, ${reason}, ${note}) as "reportId"`),
  );
}

/** Those whom the user may write, by the beginning of their name. */
export async function findPeople(tx: UserTransaction, words: string): Promise<{ items: Person[] }> {
  return onlyRow(
    await tx.execute<{ items: Person[] }>(
      sql`select private.find_people_to_message(${words}, 20) as "items"`,
    ),
  );
}

type MessageSettings = z.infer<typeof settingsSchema>;

/** What others see of the user's reading and typing. */
export async function readSettings(tx: UserTransaction): Promise<MessageSettings> {
  const [row] = await tx.execute<MessageSettings>(sql`
    select sends_receipts as "sendsReceipts", shows_typing as "showsTyping"
    from public.message_settings`);
  return row ?? { sendsReceipts: true, showsTyping: true };
}

/** Sets what others see of the user's reading and typing. */
export async function writeSettings(
  tx: UserTransaction,
  userId: string,
  { sendsReceipts, showsTyping }: MessageSettings,
): Promise<MessageSettings> {
  await tx.execute(sql`
    insert into public.message_settings (user_id, sends_receipts, shows_typing)
    values (${userId}::uuid, ${sendsReceipts}, ${showsTyping})
    on conflict (user_id) do update
    set sends_receipts = excluded.sends_receipts, shows_typing = excluded.shows_typing`);
  return { sendsReceipts, showsTyping };
}

/** Whether a course's students may write each other. */
export async function readCourseSwitch(
  tx: UserTransaction,
  courseId: string,
): Promise<{ studentsMayWrite: boolean }> {
  const [row] = await tx.execute<{ studentsMayWrite: boolean }>(sql`
    select students_may_write as "studentsMayWrite"
    from public.course_message_settings
    where course_id = ${courseId}::uuid`);
  return row ?? { studentsMayWrite: true };
}

/** Sets whether a course's students may write each other. */
export async function setCourseSwitch(
  tx: UserTransaction,
  courseId: string,
  studentsMayWrite: boolean,
): Promise<{ studentsMayWrite: boolean }> {
  await tx.execute(sql`
    insert into public.course_message_settings (course_id, students_may_write)
    values (${courseId}::uuid, ${studentsMayWrite})
    on conflict (course_id) do update set students_may_write = excluded.students_may_write`);
  return { studentsMayWrite };
}
