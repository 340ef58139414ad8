import type { Conversation, ConversationPart, DirectMessage } from '@homeroom/api/contract';
import type { RealtimeApi } from '../connection/api.ts';
import type { Model } from '../testing/convergence.ts';
import type { ModelTopics } from '../testing/model-topics.ts';

type Kept = { conversation: Conversation; items: DirectMessage[] };
type MessagesModel = Model & {
  all(): readonly Conversation[];
  with(userId: string): Kept;
  unreadCount(): number;
};

const personOf = (id: string) => ({ id, name: id, avatarUrl: null });

/** Whom the user writes with, in the model. */
export const OTHERS = ['bob', 'cy', 'dee'] as const;

/** The conversations of one user, as the database keeps and tells them. */
export function modelMessages(topics: ModelTopics, userId: string): MessagesModel {
  const topic = `user:${userId}`;
  const kept = new Map<string, Kept>(OTHERS.map((id) => [id, begin(id)]));
  let moments = 0;

  const withOther = (id: string): Kept => {
    const found = kept.get(id);
    if (!found) throw new Error(`Nobody is called ${id}`);
    return found;
  };
  const all = () =>
    [...kept.values()]
      .map(({ conversation }) => conversation)
      .filter(({ lastNumber }) => lastNumber > 0)
      .sort((a, b) => (a.lastMessageAt > b.lastMessageAt ? -1 : 1));

  function put(id: string, change: Partial<Conversation>, message?: DirectMessage): Conversation {
    const one = withOther(id);
    const before = one.conversation.unreadCount;
    const next = { ...one.conversation, ...change };
    next.unreadCount = next.lastNumber - next.readNumber;
    one.conversation = next;
    topics.publish(topic, message ? 'direct_message.created' : 'conversation.changed', {
      conversation: next,
      unreadDelta: next.unreadCount - before,
      ...(message && { message }),
    });
    return next;
  }

  function write(id: string, otherId: string, senderId: string, content: string): DirectMessage {
    const one = withOther(otherId);
    const known = one.items.find((item) => item.id === id);
    if (known) return known;
    moments += 1;
    const number = one.items.length + 1;
    const createdAt = `2026-01-01T00:00:00.${String(moments).padStart(6, '0')}Z`;
    const recipientId = senderId === userId ? otherId : userId;
    const message = { id, number, senderId, recipientId, content, isRemoved: false, createdAt };
    one.items.push(message);
    const isOwn = senderId === userId;
    put(
      otherId,
      {
        lastNumber: number,
        lastMessageAt: createdAt,
        lastMessage: { number, senderId, excerpt: content },
        ...(isOwn ? { readNumber: number, deliveredNumber: number } : { theirReadNumber: number }),
      },
      message,
    );
    return message;
  }

  function remove(otherId: string): void {
    const { items, conversation } = withOther(otherId);
    const at = items.findIndex(({ isRemoved }) => !isRemoved);
    const message = items[at];
    if (message === undefined) return;
    items[at] = { ...message, content: '', isRemoved: true };
    const event = { message: items[at], conversation, unreadDelta: 0 };
    topics.publish(topic, 'direct_message.removed', event);
  }

  function mark(otherId: string, change: Partial<Conversation>) {
    const { conversation } = withOther(otherId);
    const isSame = Object.entries(change).every(
      ([key, value]) => conversation[key as keyof Conversation] === value,
    );
    return { conversation: isSame ? conversation : put(otherId, change) };
  }

  type Mark = { userId: string; number: number };
  const messages: RealtimeApi['messages'] = {
    conversations: topics.snapshot(topic, ({ limit = 20, cursor }: Page) => {
      const below = all().filter(({ lastMessageAt }) => !cursor || lastMessageAt < cursor);
      const items = below.slice(0, limit);
      const nextCursor = below.length > limit ? (items.at(-1)?.lastMessageAt ?? null) : null;
      return { items, unreadCount: unreadCount(), nextCursor };
    }),
    conversation: topics.snapshot(topic, ({ userId: other, before, limit = 50 }: Asked) => {
      const { conversation, items } = withOther(other);
      const upTo = items.filter(({ number }) => before === undefined || number < before);
      return {
        with: personOf(other),
        conversation: conversation.lastNumber === 0 ? null : conversation,
        canWrite: true,
        isBlocked: false,
        items: upTo.slice(-limit),
      } satisfies ConversationPart;
    }),
    send: topics.call(({ id, userId: other, content }: Sending) => ({
      message: write(id, other, userId, content),
    })),
    markAsRead: topics.call(({ userId: other, number }: Mark) => {
      const { lastNumber, readNumber } = withOther(other).conversation;
      return mark(other, { readNumber: Math.max(readNumber, Math.min(number, lastNumber)) });
    }),
    markAsUnread: topics.call(({ userId: other, number }: Mark) => {
      const { lastNumber } = withOther(other).conversation;
      return mark(other, { readNumber: Math.min(number - 1, lastNumber) });
    }),
    markAsDelivered: topics.call(({ userId: other, number }: Mark) => {
      const { deliveredNumber } = withOther(other).conversation;
      return mark(other, { deliveredNumber: Math.max(deliveredNumber, number) });
    }),
  };

  function unreadCount(): number {
    return all().reduce((sum, one) => sum + one.unreadCount, 0);
  }

  function change(n: number): void {
    const other = OTHERS[n % OTHERS.length] ?? 'bob';
    const { lastNumber } = withOther(other).conversation;
    if (n % 4 === 0 && lastNumber > 0) mark(other, { readNumber: n % (lastNumber + 1) });
    else if (n % 4 === 1) mark(other, { theirReadNumber: lastNumber });
    else if (n % 7 === 2) remove(other);
    else write(`from ${other} ${moments}`, other, other, `Number ${n}`);
  }
  return {
    api: { messages },
    all,
    with: withOther,
    unreadCount,
    change,
    changeAll: () => write(`last ${moments}`, 'bob', 'bob', 'The last word'),
  };
}

type Page = { limit?: number; cursor?: string };
type Asked = { userId: string; before?: number; limit?: number };
type Sending = { id: string; userId: string; content: string };

function begin(id: string): Kept {
  return {
    conversation: {
      id: `with ${id}`,
      with: personOf(id),
      lastNumber: 0,
      lastMessageAt: '',
      lastMessage: null,
      readNumber: 0,
      deliveredNumber: 0,
      unreadCount: 0,
      theirReadNumber: 0,
      theirDeliveredNumber: 0,
    },
    items: [],
  };
}
