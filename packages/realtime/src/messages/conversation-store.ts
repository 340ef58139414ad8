import type {
  Conversation,
  ConversationPart,
  DirectMessage,
  LiveCursor,
  Person,
} from '@homeroom/api/contract';
import type { Readable } from 'svelte/store';
import type { Connection } from '../connection/connection.ts';
import type { LiveError } from '../connection/errors.ts';
import { Composite } from '../live-query/composite.ts';
import {
  liveQuery,
  type LiveQuery,
  type LiveQueryState,
  type LiveStatus,
} from '../live-query/live-query.ts';
import { draftOf, type Draft } from '../outbox/draft.ts';
import { outboxOf } from '../outbox/keep.ts';
import type { Outbox, Outgoing } from '../outbox/outbox.ts';
import { applyToConversation, withOlder } from './apply.ts';
import { reading, unreading } from './changes.ts';

/** Messages per part, when not told. */
const LIMIT = 50;
/** The most that the API gives at once. */
const LIMIT_MAX = 100;
/** How long the event of a message that the server took may be on its way, ms, before we look. */
const ARRIVES_WITHIN_MS = 1_500;

/** How far one of the person's own messages has come; null where one wants no receipts. */
export type Receipt = 'sent' | 'delivered' | 'read' | null;

/** A message as it is shown. */
export type ShownMessage = DirectMessage & { isOwn: boolean; receipt: Receipt };

/** What a conversation shows. */
export type ConversationState = {
  status: LiveStatus;
  with: Person | undefined;
  /** Oldest first; numbers without a hole. */
  messages: readonly ShownMessage[];
  /** What the person has sent and the conversation doesn't show yet, oldest first. */
  outgoing: readonly Outgoing<{ content: string }, number>[];
  /** The number of the last message that the person has read, on any device. */
  readNumber: number;
  unreadCount: number;
  canWrite: boolean;
  isBlocked: boolean;
  loading: boolean;
  loadingOlder: boolean;
  hasOlder: boolean;
  draft: string;
  error: LiveError | undefined;
};

/** A conversation with someone, live on every device. */
export type ConversationStore = Readable<ConversationState> & {
  /** Sends at once, or as soon as it can, once; gives the message's id. Empties the draft. */
  send(content: string): string;
  retry(id: string): void;
  /** Doesn't send it after all; gives what it said. */
  discard(id: string): string | undefined;
  setDraft(text: string): void;
  loadOlder(): Promise<boolean>;
  markAsRead(number: number): Promise<boolean>;
  markAsUnread(number: number): Promise<boolean>;
  refresh(): Promise<void>;
};

/** How a conversation starts. */
export type ConversationOptions = {
  /** Messages per part, 1–100; 50 when not given. */
  limit?: number;
  /** What `messages.conversation` gave to the server-rendered page, with the same limit. */
  initial?: { data: ConversationPart; cursor: LiveCursor };
};

/** What the user and someone write each other, live. */
export function conversation(
  connection: Connection,
  userId: string,
  options: ConversationOptions = {},
): ConversationStore {
  return new LiveConversation(connection, userId, options);
}

class LiveConversation extends Composite<ConversationState> implements ConversationStore {
  readonly #connection: Connection;
  readonly #otherId: string;
  readonly #limit: number;
  readonly #query: LiveQuery<ConversationPart>;
  readonly #outbox: Outbox<{ content: string }, number>;
  readonly #draft: Draft;
  #latest: LiveQueryState<ConversationPart> | undefined;
  #loadingOlder: Promise<boolean> | undefined;

  constructor(
    connection: Connection,
    userId: string,
    { limit = LIMIT, initial }: ConversationOptions,
  ) {
    super();
    this.#connection = connection;
    this.#otherId = userId;
    this.#limit = limit;
    this.#draft = draftOf(connection, `conversation.${userId}`);
    this.#query = liveQuery({
      connection,
      topic: `user:${connection.userId}`,
      load: () => {
        const loaded = this.#latest?.data?.items.length ?? 0;
        const count = Math.min(Math.max(loaded, limit), LIMIT_MAX);
        return this.#api.conversation.query({ userId, limit: count });
      },
      apply: (part, event) => applyToConversation(part, event, userId),
      initial,
    });
    this.#outbox = outboxOf(connection, `conversation.${userId}`, async ({ id, payload }) => {
      const { message } = await this.#api.send.mutate({ id, userId, ...payload });
      return message.number;
    });
  }

  send(content: string): string {
    const id = crypto.randomUUID();
    this.#outbox.add(id, { content });
    this.setDraft('');
    return id;
  }

  retry(id: string): void {
    this.#outbox.retry(id);
  }

  discard(id: string): string | undefined {
    return this.#outbox.forget(id)?.content;
  }

  setDraft(text: string): void {
    this.#draft.set(text);
    this.changed();
  }

  loadOlder(): Promise<boolean> {
    const before = this.#latest?.data?.items[0]?.number ?? 1;
    if (this.#loadingOlder) return this.#loadingOlder;
    if (before === 1) return Promise.resolve(false);
    const part = { userId: this.#otherId, before, limit: this.#limit };
    this.#loadingOlder = this.#query
      .extend(() => this.#api.conversation.query(part), withOlder)
      .finally(() => {
        this.#loadingOlder = undefined;
        this.changed();
      });
    this.changed();
    return this.#loadingOlder;
  }

  markAsRead(number: number): Promise<boolean> {
    if ((this.#latest?.data?.conversation?.readNumber ?? 0) >= number) {
      return Promise.resolve(true);
    }
    return this.#query.change(reading(this.#api, this.#otherId, number));
  }

  markAsUnread(number: number): Promise<boolean> {
    return this.#query.change(unreading(this.#api, this.#otherId, number));
  }

  refresh(): Promise<void> {
    return this.#query.refresh();
  }

  protected override followSources(): (() => void)[] {
    return [
      this.#query.subscribe((state) => {
        this.#latest = state;
        this.#forgetArrived();
        this.changed();
      }),
      this.#outbox.onChange(() => {
        this.#expectDelivered();
        this.changed();
      }),
    ];
  }

  protected override look(): ConversationState {
    const { data, status = 'connecting', error } = this.#latest ?? {};
    const { items = [], conversation } = data ?? {};
    return {
      status,
      with: data?.with,
      messages: items.map((message) => this.#shown(message, conversation)),
      outgoing: this.#outbox.entries.filter(({ id }) => !items.some((item) => item.id === id)),
      readNumber: conversation?.readNumber ?? 0,
      unreadCount: conversation?.unreadCount ?? 0,
      canWrite: data?.canWrite ?? false,
      isBlocked: data?.isBlocked ?? false,
      loading: data === undefined && status !== 'stopped',
      loadingOlder: this.#loadingOlder !== undefined,
      hasOlder: (items[0]?.number ?? 1) > 1,
      draft: this.#draft.text,
      error,
    };
  }

  get #api() {
    return this.#connection.api.messages;
  }

  #shown(message: DirectMessage, conversation: Conversation | null | undefined): ShownMessage {
    const isOwn = message.senderId === this.#connection.userId;
    return { ...message, isOwn, receipt: isOwn ? receiptOf(message, conversation) : null };
  }

  #forgetArrived(): void {
    const lastNumber = this.#latest?.data?.conversation?.lastNumber ?? 0;
    for (const { id, state, answer } of this.#outbox.entries) {
      if (state === 'delivered' && (answer ?? 0) <= lastNumber) this.#outbox.forget(id);
    }
  }

  /** The event of a message normally comes by itself; where it was lost, all is read anew. */
  #expectDelivered(): void {
    const isMissing = () => this.#outbox.entries.some(({ state }) => state === 'delivered');
    this.#forgetArrived();
    if (!isMissing()) return;
    this.#connection.internals.clock.after(ARRIVES_WITHIN_MS, () => {
      if (isMissing()) void this.#query.refresh();
    });
  }
}

function receiptOf(
  { number }: DirectMessage,
  conversation: Conversation | null | undefined,
): Receipt {
  const { theirReadNumber = null, theirDeliveredNumber = null } = conversation ?? {};
  if (theirReadNumber === null || theirDeliveredNumber === null) return null;
  if (number <= theirReadNumber) return 'read';
  return number <= theirDeliveredNumber ? 'delivered' : 'sent';
}
