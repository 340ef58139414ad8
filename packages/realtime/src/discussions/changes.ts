import type { ThreadReader } from '@homeroom/api/contract';
import type { Reaction, ThreadLevel } from '@homeroom/api/kinds';
import type { LocalChange } from '../live-query/live-query.ts';
import type { DiscussionsApi } from './api.ts';
import { withMessage, withReaction, type ThreadWindow } from './apply.ts';

type Api = DiscussionsApi['discussions'];
type Change = LocalChange<ThreadWindow>;

/** Changes what a message says; `now` is shown until the database's own moment comes. */
export function editing(api: Api, messageId: string, content: string, now: string): Change {
  return {
    show: (window) =>
      withMessage(window, messageId, (message) =>
        message.content === content || message.deletedAt !== null
          ? message
          : { ...message, content, editedAt: now },
      ),
    run: () => api.edit.mutate({ messageId, content }),
    isConfirmed: ({ items }) =>
      !items.some((item) => item.id === messageId && item.content !== content),
  };
}

/** Empties a message. */
export function removal(api: Api, messageId: string, now: string): Change {
  return {
    show: (window) =>
      withMessage(window, messageId, (message) =>
        message.deletedAt === null
          ? { ...message, content: '', excerpt: '', deletedAt: now, deletedBy: 'sender' }
          : message,
      ),
    run: () => api.remove.mutate({ messageId }),
    isConfirmed: ({ items }) =>
      !items.some((item) => item.id === messageId && item.deletedAt === null),
  };
}

/** Puts a sign of the person's under a message, or takes it away. */
export function reacting(api: Api, messageId: string, emoji: Reaction, isOn: boolean): Change {
  const isSo = ({ items }: ThreadWindow) => {
    const message = items.find(({ id }) => id === messageId);
    const isMine = message?.reactions.some((one) => one.emoji === emoji && one.isMine) ?? false;
    return !message || isMine === isOn;
  };
  return {
    show: (window) =>
      isSo(window)
        ? window
        : withMessage(window, messageId, (message) =>
            withReaction(message, emoji, isOn ? 1 : -1, isOn),
          ),
    run: () => api.react.mutate({ messageId, emoji, isOn }),
    isConfirmed: isSo,
  };
}

type Reader = ThreadReader | null;

/** The thread is read up to a number: never less than before. */
export function reading(api: Api, threadId: string, number: number): LocalChange<Reader> {
  const isRead = (reader: Reader) => (reader?.readNumber ?? 0) >= number;
  return {
    show: (reader) =>
      isRead(reader) ? reader : { threadId, level: reader?.level ?? 'normal', readNumber: number },
    run: () => api.markAsRead.mutate({ threadId, number }),
    isConfirmed: isRead,
  };
}

/** A message and all after it are unread again. */
export function unreading(api: Api, threadId: string, number: number): LocalChange<Reader> {
  const isUnread = (reader: Reader) => (reader?.readNumber ?? 0) < number;
  return {
    show: (reader) =>
      reader && !isUnread(reader) ? { ...reader, readNumber: number - 1 } : reader,
    run: () => api.markAsUnread.mutate({ threadId, number }),
    isConfirmed: isUnread,
  };
}

/** How closely the person follows the thread. */
export function following(api: Api, threadId: string, level: ThreadLevel): LocalChange<Reader> {
  return {
    show: (reader) => ({ threadId, readNumber: reader?.readNumber ?? 0, level }),
    run: () => api.follow.mutate({ threadId, level }),
    isConfirmed: (reader) => reader?.level === level,
  };
}
