import type { Conversation, ConversationList, LiveCursor } from '@homeroom/api/contract';
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
import { applyToList, toWindow, withPage, type ConversationWindow } from './apply.ts';

/** Conversations per page, when not told. */
const LIMIT = 20;
/** The most that the API gives at once. */
const LIMIT_MAX = 100;

/** What a list of conversations shows. */
export type ConversationsState = {
  status: LiveStatus;
  /** Those with the newest message first. */
  conversations: readonly Conversation[];
  /** Of all conversations, loaded or not; the same on every device. */
  unreadCount: number;
  loading: boolean;
  loadingMore: boolean;
  hasMore: boolean;
  error: LiveError | undefined;
};

/** The user's conversations, live. While it is followed, what arrives counts as delivered. */
export type ConversationsStore = Readable<ConversationsState> & {
  loadMore(): Promise<boolean>;
  refresh(): Promise<void>;
};

/** How a list of conversations starts. */
export type ConversationsOptions = {
  /** Conversations per page, 1–100; 20 when not given. */
  limit?: number;
  /** What `messages.conversations` gave to the server-rendered page, with the same limit. */
  initial?: { data: ConversationList; cursor: LiveCursor };
};

/** The user's conversations, live. */
export function conversations(
  connection: Connection,
  options: ConversationsOptions = {},
): ConversationsStore {
  return new Conversations(connection, options);
}

class Conversations extends Composite<ConversationsState> implements ConversationsStore {
  readonly #connection: Connection;
  readonly #limit: number;
  readonly #query: LiveQuery<ConversationWindow>;
  /** What this tab has said was delivered, by conversation. */
  readonly #delivered = new Map<string, number>();
  #latest: LiveQueryState<ConversationWindow> | undefined;
  #loadingMore: Promise<boolean> | undefined;

  constructor(connection: Connection, { limit = LIMIT, initial }: ConversationsOptions) {
    super();
    this.#connection = connection;
    this.#limit = limit;
    this.#query = liveQuery({
      connection,
      topic: `user:${connection.userId}`,
      load: () => {
        const loaded = this.#latest?.data?.items.length ?? 0;
        return this.#load(Math.min(Math.max(loaded, limit), LIMIT_MAX));
      },
      apply: applyToList,
      initial: initial && { data: toWindow(initial.data), cursor: initial.cursor },
    });
  }

  loadMore(): Promise<boolean> {
    const cursor = this.#latest?.data?.nextCursor;
    if (this.#loadingMore) return this.#loadingMore;
    if (!cursor) return Promise.resolve(false);
    this.#loadingMore = this.#query
      .extend(() => this.#load(this.#limit, cursor), withPage)
      .finally(() => {
        this.#loadingMore = undefined;
        this.changed();
      });
    this.changed();
    return this.#loadingMore;
  }

  refresh(): Promise<void> {
    return this.#query.refresh();
  }

  protected override followSources(): (() => void)[] {
    return [
      this.#query.subscribe((state) => {
        this.#latest = state;
        for (const conversation of state.data?.items ?? []) this.#acknowledge(conversation);
        this.changed();
      }),
    ];
  }

  protected override look(): ConversationsState {
    const { data, status = 'connecting', error } = this.#latest ?? {};
    return {
      status,
      conversations: data?.items ?? [],
      unreadCount: data?.unreadCount ?? 0,
      loading: data === undefined && status !== 'stopped',
      loadingMore: this.#loadingMore !== undefined,
      hasMore: data !== undefined && data.nextCursor !== null,
      error,
    };
  }

  async #load(limit: number, cursor?: string) {
    const answer = await this.#connection.api.messages.conversations.query({ limit, cursor });
    return { data: toWindow(answer.data), cursor: answer.cursor };
  }

  /** Says once that messages have reached this device; lost, the next message says it too. */
  #acknowledge({ id, with: other, lastNumber, deliveredNumber }: Conversation): void {
    const known = Math.max(deliveredNumber, this.#delivered.get(id) ?? 0);
    if (!other || lastNumber <= known) return;
    this.#delivered.set(id, lastNumber);
    this.#connection.api.messages.markAsDelivered
      .mutate({ userId: other.id, number: lastNumber })
      .catch((error: unknown) => this.#connection.internals.log('not acknowledged', error));
  }
}
