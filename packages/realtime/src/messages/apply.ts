import type {
  Conversation,
  ConversationList,
  ConversationPart,
  MessageEvents,
} from '@homeroom/api/contract';
import type { LiveEvent } from '../connection/api.ts';

/** The events about direct messages on `user:<uid>`. */
type MessageEvent = {
  [Name in keyof MessageEvents]: Omit<LiveEvent, 'event' | 'data'> & {
    event: Name;
    data: MessageEvents[Name];
  };
}[keyof MessageEvents];

/** Only the database can send on that topic, so the data of a name is taken to have its shape. */
function isMessageEvent(event: LiveEvent): event is MessageEvent {
  return (
    event.event === 'direct_message.created' ||
    event.event === 'direct_message.removed' ||
    event.event === 'conversation.changed'
  );
}

/** A conversation with someone after an event of the user's topic. Pure. */
export function applyToConversation(
  part: ConversationPart,
  event: LiveEvent,
  otherId: string,
): ConversationPart {
  if (!isMessageEvent(event) || event.data.conversation.with?.id !== otherId) return part;
  const { conversation } = event.data;
  if (event.event === 'conversation.changed') return { ...part, conversation };
  const { message } = event.data;
  const items =
    event.event === 'direct_message.created'
      ? [...part.items, message]
      : part.items.map((item) => (item.id === message.id ? message : item));
  return { ...part, conversation, items };
}

/** A conversation with what was written before; as it is, when there would be a hole. */
export function withOlder(part: ConversationPart, older: ConversationPart): ConversationPart {
  const first = part.items[0]?.number ?? 0;
  const before = older.items.filter(({ number }) => number < first);
  if (before.at(-1)?.number !== first - 1) return part;
  return { ...part, items: [...before, ...part.items] };
}

/** A list of conversations: all down to `floor`; `unreadCount` is of all, loaded or not. */
export type ConversationWindow = ConversationList & { floor: Conversation | null };

/** The window that an answer of `messages.conversations` opens. */
export function toWindow(list: ConversationList): ConversationWindow {
  return { ...list, floor: list.nextCursor === null ? null : (list.items.at(-1) ?? null) };
}

/** A window with the page below it. */
export function withPage(window: ConversationWindow, page: ConversationWindow): ConversationWindow {
  const { floor } = window;
  const below = page.items.filter((item) => floor && compare(floor, item) < 0);
  return {
    ...window,
    ...page,
    unreadCount: window.unreadCount,
    items: [...window.items, ...below],
  };
}

/** The list after an event of the user's topic. Pure. */
export function applyToList(window: ConversationWindow, event: LiveEvent): ConversationWindow {
  if (!isMessageEvent(event)) return window;
  const { conversation, unreadDelta } = event.data;
  const unreadCount = window.unreadCount + unreadDelta;
  const others = window.items.filter(({ id }) => id !== conversation.id);
  const isBelow = window.floor !== null && compare(window.floor, conversation) < 0;
  const items = isBelow ? others : [...others, conversation].sort(compare);
  return { ...window, items, unreadCount };
}

/** Negative when `a` stands before `b`: the newest message first, and the id decides. */
function compare(a: Conversation, b: Conversation): number {
  if (a.lastMessageAt !== b.lastMessageAt) return a.lastMessageAt > b.lastMessageAt ? -1 : 1;
  if (a.id !== b.id) return a.id > b.id ? -1 : 1;
  return 0;
}
