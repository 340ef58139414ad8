import type { Thread, ThreadMessage, ThreadPart, ToldMessage } from '@homeroom/api/contract';
import { REACTIONS, type Reaction } from '@homeroom/api/kinds';
import type { LiveEvent } from '../connection/api.ts';
import { isThreadEvent, type ThreadEvent } from './events.ts';

/** Messages kept at most; beyond it, those far from where the person reads go. */
export const WINDOW_MAX = 500;

/**
 * The part of a thread that is loaded: messages with numbers one after the other, without a hole.
 * There are older ones when the first number isn't 1, newer ones when the last is not the thread's.
 */
export type ThreadWindow = { thread: Thread; items: readonly ThreadMessage[] };

/** The window that an answer of `discussions.messages` opens. */
export function toWindow({ thread, items }: ThreadPart): ThreadWindow {
  const inOrder = (message: ThreadMessage) => ({
    ...message,
    reactions: message.reactions.toSorted(byOffer),
  });
  return { thread, items: items.map(inOrder) };
}

/** Whether the newest message is in the window. */
export function isAtEnd({ thread, items }: ThreadWindow): boolean {
  return (items.at(-1)?.number ?? 0) === thread.lastNumber;
}

/** A window with the part before it; without it, when there would be a hole between them. */
export function withOlder(window: ThreadWindow, part: ThreadWindow): ThreadWindow {
  const first = window.items[0]?.number ?? 0;
  const older = part.items.filter(({ number }) => number < first);
  if (older.at(-1)?.number !== first - 1) return window;
  return { ...window, items: [...older, ...window.items].slice(0, WINDOW_MAX) };
}

/** A window with the part after it; without it, when there would be a hole between them. */
export function withNewer(window: ThreadWindow, part: ThreadWindow): ThreadWindow {
  const last = window.items.at(-1)?.number ?? 0;
  const newer = part.items.filter(({ number }) => number > last);
  if (newer[0]?.number !== last + 1) return window;
  return { ...window, items: [...window.items, ...newer].slice(-WINDOW_MAX) };
}

/** A window in which one message is changed; the same one when it isn't loaded. */
export function withMessage(
  window: ThreadWindow,
  id: string,
  change: (message: ThreadMessage) => ThreadMessage,
): ThreadWindow {
  if (!window.items.some((item) => item.id === id)) return window;
  const items = window.items.map((item) => (item.id === id ? change(item) : item));
  return { ...window, items };
}

/** A message with one sign more or less. */
export function withReaction(
  message: ThreadMessage,
  emoji: Reaction,
  countDelta: 1 | -1,
  isMine: boolean | undefined,
): ThreadMessage {
  const before = message.reactions.find((reaction) => reaction.emoji === emoji);
  const count = (before?.count ?? 0) + countDelta;
  const others = message.reactions.filter((reaction) => reaction !== before);
  const after = { emoji, count, isMine: isMine ?? before?.isMine ?? false };
  return { ...message, reactions: (count > 0 ? [...others, after] : others).toSorted(byOffer) };
}

/** The window after an event, as `userId` sees it. Pure. */
export function apply(window: ThreadWindow, event: LiveEvent, userId: string): ThreadWindow {
  return isThreadEvent(event) ? applied(window, event, userId) : window;
}

function applied(window: ThreadWindow, event: ThreadEvent, userId: string): ThreadWindow {
  switch (event.event) {
    case 'message.created':
      return withCreated(window, event.data.message);
    case 'message.updated':
      return withUpdated(window, event.data.message);
    case 'message.reacted': {
      const { messageId, emoji, countDelta } = event.data;
      const isMine = event.data.userId === userId ? countDelta > 0 : undefined;
      return withMessage(window, messageId, (message) =>
        withReaction(message, emoji, countDelta, isMine),
      );
    }
    case 'thread.updated':
      return { ...window, thread: event.data.thread };
  }
}

/** A new message joins the window only where its end is; its thread is newer in any case. */
function withCreated(window: ThreadWindow, told: ToldMessage): ThreadWindow {
  const thread = {
    ...window.thread,
    lastNumber: told.number,
    lastMessageAt: told.createdAt,
    lastSender: told.sender,
  };
  const { parent } = told;
  const counted = parent
    ? withMessage(window, parent.id, (message) => ({
        ...message,
        replyCount: message.replyCount + 1,
      }))
    : window;
  const message = { ...told, replyCount: 0, reactions: [] };
  const items = isAtEnd(window) ? [...counted.items, message].slice(-WINDOW_MAX) : counted.items;
  return { thread, items };
}

/**
 * A message as it is now; replies quote its first words. What it quotes itself stays: who edited
 * that at the same moment tells it.
 */
function withUpdated(window: ThreadWindow, told: ToldMessage): ThreadWindow {
  const items = window.items.map((item) => {
    if (item.id === told.id) return { ...item, ...told, parent: item.parent };
    if (item.parent?.id !== told.id) return item;
    return { ...item, parent: { ...item.parent, excerpt: told.excerpt } };
  });
  return { ...window, items };
}

function byOffer(a: { emoji: Reaction }, b: { emoji: Reaction }): number {
  return REACTIONS.indexOf(a.emoji) - REACTIONS.indexOf(b.emoji);
}
