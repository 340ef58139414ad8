import type { ConversationPart } from '@homeroom/api/contract';
import type { LocalChange } from '../live-query/live-query.ts';
import type { MessagesApi } from './api.ts';

type Api = MessagesApi['messages'];
type Change = LocalChange<ConversationPart>;

const readNumberOf = ({ conversation }: ConversationPart) => conversation?.readNumber ?? 0;

/** The conversation is read up to a number: never less than before. */
export function reading(api: Api, userId: string, number: number): Change {
  return {
    show: (part) => (readNumberOf(part) >= number ? part : withRead(part, number)),
    run: () => api.markAsRead.mutate({ userId, number }),
    isConfirmed: (part) => readNumberOf(part) >= number,
  };
}

/** A message and all after it are unread again. */
export function unreading(api: Api, userId: string, number: number): Change {
  return {
    show: (part) => (readNumberOf(part) < number ? part : withRead(part, number - 1)),
    run: () => api.markAsUnread.mutate({ userId, number }),
    isConfirmed: (part) => readNumberOf(part) < number,
  };
}

function withRead(part: ConversationPart, readNumber: number): ConversationPart {
  const { conversation } = part;
  if (!conversation) return part;
  const unreadCount = Math.max(0, conversation.lastNumber - readNumber);
  return { ...part, conversation: { ...conversation, readNumber, unreadCount } };
}
