import type {
  LiveCursor,
  MessagesInput,
  Thread,
  ThreadMessage,
  ThreadPart,
  ThreadReader,
} from '@homeroom/api/contract';
import type { Reaction, ThreadLevel } from '@homeroom/api/kinds';
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
import { apply, isAtEnd, toWindow, withNewer, withOlder, type ThreadWindow } from './apply.ts';
import { editing, following, reacting, reading, removal, unreading } from './changes.ts';
import { isThreadReaderEvent } from './events.ts';

/** Messages per part, when not told. */
const LIMIT = 50;
/** The most that the API gives at once. */
const LIMIT_MAX = 100;
/** How long the event of a message that the server took may be on its way, ms, before we look. */
const ARRIVES_WITHIN_MS = 1_500;

/** What is being sent. */
export type OutgoingContent = { content: string; parentId?: string };
/** A message on its way: shown below the others until it is among them. */
export type OutgoingMessage = Outgoing<OutgoingContent, number>;

/** What a thread shows. */
export type DiscussionThreadState = {
  status: LiveStatus;
  thread: Thread | undefined;
  /** Oldest first; numbers without a hole. */
  messages: readonly ThreadMessage[];
  /** What the person has sent and the thread doesn't show yet, oldest first. */
  outgoing: readonly OutgoingMessage[];
  /** How far the person has read, on any device; null: never opened before. */
  reader: ThreadReader | null;
  unreadCount: number;
  /** The first part isn't there yet. */
  loading: boolean;
  loadingOlder: boolean;
  loadingNewer: boolean;
  hasOlder: boolean;
  hasNewer: boolean;
  /** What the person is writing; kept on this device. */
  draft: string;
  error: LiveError | undefined;
  lastEventAt: number | undefined;
  latencyMs: number | undefined;
};

/** Where in a thread to begin. */
export type ThreadPlace = { around: number } | { aroundMessage: string } | 'end';

/** How a thread starts. */
export type DiscussionThreadOptions = {
  /** Messages per part, 1–100; 50 when not given. */
  limit?: number;
  /** The newest messages, when not given. */
  place?: ThreadPlace;
  /** What `discussions.messages` gave to the server-rendered page, for the same place and limit. */
  initial?: { data: ThreadPart; cursor: LiveCursor };
};

/** A discussion, live. Each change shows at once, and is taken back if it fails. */
export type DiscussionThreadStore = Readable<DiscussionThreadState> & {
  /** Sends at once, or as soon as it can, once; gives the message's id. Empties the draft. */
  send(content: string, options?: { parentId?: string }): string;
  /** Tries again to send what was refused. */
  retry(id: string): void;
  /** Doesn't send it after all; gives what it said. */
  discard(id: string): string | undefined;
  setDraft(text: string): void;
  edit(messageId: string, content: string): Promise<boolean>;
  remove(messageId: string): Promise<boolean>;
  react(messageId: string, emoji: Reaction, isOn: boolean): Promise<boolean>;
  loadOlder(): Promise<boolean>;
  loadNewer(): Promise<boolean>;
  /** Shows another part of the thread; what is shown stays until it is there. */
  jumpTo(place: ThreadPlace): Promise<void>;
  /** The person has seen everything up to a number. */
  markAsRead(number: number): Promise<boolean>;
  /** A message and all after it shall be unread again. */
  markAsUnread(number: number): Promise<boolean>;
  follow(level: ThreadLevel): Promise<boolean>;
  refresh(): Promise<void>;
};

/** A discussion's messages, live: from its newest, or from any place in it. */
export function discussionThread(
  connection: Connection,
  threadId: string,
  options: DiscussionThreadOptions = {},
): DiscussionThreadStore {
  return new DiscussionThread(connection, threadId, options);
}

/** Where a part of a thread is, as `discussions.messages` takes it. */
type Part = Omit<MessagesInput, 'threadId'>;

class DiscussionThread extends Composite<DiscussionThreadState> implements DiscussionThreadStore {
  readonly #connection: Connection;
  readonly #threadId: string;
  readonly #limit: number;
  readonly #start: Part;
  readonly #query: LiveQuery<ThreadWindow>;
  readonly #readerQuery: LiveQuery<ThreadReader | null>;
  readonly #outbox: Outbox<OutgoingContent, number>;
  readonly #draft: Draft;
  readonly #loading: { older?: Promise<boolean>; newer?: Promise<boolean> } = {};
  #jump: Part | undefined;
  #latest: LiveQueryState<ThreadWindow> | undefined;
  #reader: ThreadReader | null;

  constructor(
    connection: Connection,
    threadId: string,
    { limit = LIMIT, place = 'end', initial }: DiscussionThreadOptions,
  ) {
    super();
    this.#connection = connection;
    this.#threadId = threadId;
    this.#limit = limit;
    this.#start = toPart(place);
    this.#reader = initial?.data.reader ?? null;
    this.#draft = draftOf(connection, `thread.${threadId}`);
    this.#query = liveQuery({
      connection,
      topic: `thread:${threadId}`,
      load: () => this.#load(this.#jump ?? this.#loaded() ?? this.#start),
      apply: (window, event) => apply(window, event, connection.userId),
      initial: initial && { data: toWindow(initial.data), cursor: initial.cursor },
    });
    this.#readerQuery = threadReader(connection, threadId);
    this.#outbox = outboxOf(connection, `thread.${threadId}`, async ({ id, payload }) => {
      const { message } = await this.#api.send.mutate({ id, threadId, ...payload });
      return message.number;
    });
  }

  send(content: string, { parentId }: { parentId?: string } = {}): string {
    const id = crypto.randomUUID();
    this.#outbox.add(id, { content, ...(parentId && { parentId }) });
    this.setDraft('');
    if (this.#window && !isAtEnd(this.#window)) void this.jumpTo('end');
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

  edit(messageId: string, content: string): Promise<boolean> {
    return this.#query.change(editing(this.#api, messageId, content, this.#now()));
  }

  remove(messageId: string): Promise<boolean> {
    return this.#query.change(removal(this.#api, messageId, this.#now()));
  }

  react(messageId: string, emoji: Reaction, isOn: boolean): Promise<boolean> {
    return this.#query.change(reacting(this.#api, messageId, emoji, isOn));
  }

  loadOlder(): Promise<boolean> {
    const first = this.#window?.items[0]?.number ?? 1;
    if (first === 1) return Promise.resolve(false);
    return this.#extend('older', { before: first }, withOlder);
  }

  loadNewer(): Promise<boolean> {
    if (!this.#window || isAtEnd(this.#window)) return Promise.resolve(false);
    const last = this.#window.items.at(-1)?.number ?? 0;
    return this.#extend('newer', { after: last }, withNewer);
  }

  async jumpTo(place: ThreadPlace): Promise<void> {
    const jump = toPart(place);
    this.#jump = jump;
    await this.#query.refresh();
    if (this.#jump === jump) this.#jump = undefined;
  }

  markAsRead(number: number): Promise<boolean> {
    if ((this.#reader?.readNumber ?? 0) >= number) return Promise.resolve(true);
    return this.#readerQuery.change(reading(this.#api, this.#threadId, number));
  }

  markAsUnread(number: number): Promise<boolean> {
    return this.#readerQuery.change(unreading(this.#api, this.#threadId, number));
  }

  follow(level: ThreadLevel): Promise<boolean> {
    return this.#readerQuery.change(following(this.#api, this.#threadId, level));
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
      this.#readerQuery.subscribe(({ data }) => {
        if (data !== undefined) this.#reader = data;
        this.changed();
      }),
      this.#outbox.onChange(() => {
        this.#expectDelivered();
        this.changed();
      }),
    ];
  }

  protected override look(): DiscussionThreadState {
    const { data, status = 'connecting', error, lastEventAt, latencyMs } = this.#latest ?? {};
    const { thread, items = [] } = data ?? {};
    return {
      status,
      thread,
      messages: items,
      outgoing: this.#outbox.entries.filter(({ id }) => !items.some((item) => item.id === id)),
      reader: this.#reader,
      unreadCount: Math.max(0, (thread?.lastNumber ?? 0) - (this.#reader?.readNumber ?? 0)),
      loading: data === undefined && status !== 'stopped',
      loadingOlder: this.#loading.older !== undefined,
      loadingNewer: this.#loading.newer !== undefined,
      hasOlder: (items[0]?.number ?? 1) > 1,
      hasNewer: data !== undefined && !isAtEnd(data),
      draft: this.#draft.text,
      error,
      lastEventAt,
      latencyMs,
    };
  }

  get #api() {
    return this.#connection.api.discussions;
  }

  get #window(): ThreadWindow | undefined {
    return this.#latest?.data;
  }

  /** Shown until the database's own moment comes with the event. */
  #now(): string {
    return new Date(this.#connection.internals.clock.now()).toISOString();
  }

  async #load(part: Part) {
    const { data, cursor } = await this.#api.messages.query({
      threadId: this.#threadId,
      limit: this.#limit,
      ...part,
    });
    return { data: toWindow(data), cursor };
  }

  /** The part that is shown, as far as one answer can give it. */
  #loaded(): Part | undefined {
    if (!this.#window) return undefined;
    const { items } = this.#window;
    const limit = Math.min(Math.max(items.length, this.#limit), LIMIT_MAX);
    return isAtEnd(this.#window) ? { limit } : { limit, after: (items[0]?.number ?? 1) - 1 };
  }

  #extend(
    end: 'older' | 'newer',
    part: Part,
    merge: (window: ThreadWindow, part: ThreadWindow) => ThreadWindow,
  ): Promise<boolean> {
    const loading = (this.#loading[end] ??= this.#query
      .extend(() => this.#load(part), merge)
      .finally(() => {
        delete this.#loading[end];
        this.changed();
      }));
    this.changed();
    return loading;
  }

  /** What the thread has told of needs no place of its own any more. */
  #forgetArrived(): void {
    const lastNumber = this.#window?.thread.lastNumber ?? 0;
    for (const { id, state, answer } of this.#outbox.entries) {
      if (state === 'delivered' && (answer ?? 0) <= lastNumber) this.#outbox.forget(id);
    }
  }

  /** The event of a message normally comes by itself; where it was lost, the thread is read anew. */
  #expectDelivered(): void {
    const isMissing = () => this.#outbox.entries.some(({ state }) => state === 'delivered');
    this.#forgetArrived();
    if (!isMissing()) return;
    this.#connection.internals.clock.after(ARRIVES_WITHIN_MS, () => {
      if (isMissing()) void this.#query.refresh();
    });
  }
}

function toPart(place: ThreadPlace): Part {
  return place === 'end' ? {} : place;
}

/** How far the person has read in a thread, on any device. */
function threadReader(connection: Connection, threadId: string): LiveQuery<ThreadReader | null> {
  return liveQuery({
    connection,
    topic: `user:${connection.userId}`,
    load: async () => {
      const { data, cursor } = await connection.api.discussions.reader.query({ threadId });
      return { data: data.reader, cursor };
    },
    apply(reader, event) {
      if (!isThreadReaderEvent(event) || event.data.threadId !== threadId) return reader;
      const { readNumber, level } = event.data;
      return { threadId, readNumber, level };
    },
  });
}
