import * as z from 'zod';
import type { ThreadMessage } from '../discussions/contract.ts';
import { parseInput } from './envelopes.ts';
import type { RestCall, RestRoute } from './rest.ts';

const threadInput = z.object({ threadId: z.guid() });

/** The query string: numbers of the thread's messages, and how many at most. */
const messagesQuery = z.object({
  before: z.coerce.number().int().min(1).optional(),
  after: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
});

/** A message as the guide's component reads it, and its number for asking on. */
function toRow(message: ThreadMessage) {
  return {
    id: message.id,
    thread_id: message.threadId,
    number: message.number,
    sender_id: message.sender?.id ?? null,
    sender_name: message.sender?.name ?? 'Someone',
    content: message.content,
    created_at: message.createdAt,
    edited_at: message.editedAt,
    deleted_at: message.deletedAt,
  };
}

/** `{ messages }`, oldest first: the newest ones, or those before or after a number. */
async function messages({ caller, url, params }: RestCall): Promise<Response> {
  const { threadId } = parseInput(threadInput, params);
  const query = parseInput(messagesQuery, Object.fromEntries(url.searchParams));
  const { data } = await caller.discussions.messages({ threadId, ...query });
  return Response.json({ messages: data.items.map(toRow) });
}

/** The guide's route of a discussion's messages. */
export const discussionRoutes: RestRoute[] = [
  { path: '/api/discussion/:threadId/messages', methods: { GET: messages } },
];
