import type { LiveCursor, Thread, ThreadList, ThreadReader } from '@homeroom/api/contract';
import type { ThreadLevel } from '@homeroom/api/kinds';
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
import type { ThreadFilters } from './api.ts';
import { isThreadReaderEvent } from './events.ts';
import { applyToList, toListWindow, withPage, type ThreadListWindow } from './list.ts';

/** Threads per page, when not told. */
const LIMIT = 20;
/** The most that the API gives at once. */
const LIMIT_MAX = 100;

/** A thread in a list, as the person stands to it. */
export type ListedThread = Thread & {
  /** Messages above those that the person has read. */
  unreadCount: number;
  /** The person has never opened it. */
  isNew: boolean;
  level: ThreadLevel;
};

/** What a course's list of threads shows. */
export type CourseThreadsState = {
  status: LiveStatus;
  /** Pinned ones first, then those with the newest message. */
  threads: readonly ListedThread[];
  loading: boolean;
  loadingMore: boolean;
  hasMore: boolean;
  error: LiveError | undefined;
};

/** How a list of threads starts. */
export type CourseThreadsOptions = {
  /** Threads per page, 1–100; 20 when not given. */
  limit?: number;
  /** What `discussions.threads` gave to the server-rendered page, with the same filters and limit. */
  initial?: { data: ThreadList; cursor: LiveCursor };
  /** What `discussions.readers` gave to it. */
  initialReaders?: { data: { items: ThreadReader[] }; cursor: LiveCursor };
};

/** A course's threads, live, with what is unread on every device alike. */
export type CourseThreadsStore = Readable<CourseThreadsState> & {
  loadMore(): Promise<boolean>;
  refresh(): Promise<void>;
};

/** A course's threads, live. */
export function courseThreads(
  connection: Connection,
  courseId: string,
  filters: ThreadFilters = {},
  options: CourseThreadsOptions = {},
): CourseThreadsStore {
  return new CourseThreads(connection, courseId, filters, options);
}

type Readers = ReadonlyMap<string, ThreadReader>;

class CourseThreads extends Composite<CourseThreadsState> implements CourseThreadsStore {
  readonly #limit: number;
  readonly #load: (limit: number, cursor?: string) => Promise<Loaded>;
  readonly #query: LiveQuery<ThreadListWindow>;
  readonly #readerQuery: LiveQuery<Readers>;
  #latest: LiveQueryState<ThreadListWindow> | undefined;
  #readers: Readers = new Map();
  #loadingMore: Promise<boolean> | undefined;

  constructor(
    connection: Connection,
    courseId: string,
    filters: ThreadFilters,
    { limit = LIMIT, initial, initialReaders }: CourseThreadsOptions,
  ) {
    super();
    this.#limit = limit;
    this.#load = async (count, cursor) => {
      const asked = { ...filters, courseId, limit: count, cursor };
      const answer = await connection.api.discussions.threads.query(asked);
      return { data: toListWindow(answer.data), cursor: answer.cursor };
    };
    this.#query = liveQuery({
      connection,
      topic: `course:${courseId}`,
      load: () => this.#load(this.#loadedCount()),
      apply: (window, event) => applyToList(window, event, filters),
      initial: initial && { data: toListWindow(initial.data), cursor: initial.cursor },
    });
    this.#readerQuery = courseReaders(connection, courseId, initialReaders);
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
        this.changed();
      }),
      this.#readerQuery.subscribe(({ data }) => {
        if (data) this.#readers = data;
        this.changed();
      }),
    ];
  }

  protected override look(): CourseThreadsState {
    const { data, status = 'connecting', error } = this.#latest ?? {};
    return {
      status,
      threads: data?.items.map((thread) => this.#listed(thread)) ?? [],
      loading: data === undefined && status !== 'stopped',
      loadingMore: this.#loadingMore !== undefined,
      hasMore: data !== undefined && data.nextCursor !== null,
      error,
    };
  }

  #listed(thread: Thread): ListedThread {
    const reader = this.#readers.get(thread.id);
    return {
      ...thread,
      unreadCount: Math.max(0, thread.lastNumber - (reader?.readNumber ?? 0)),
      isNew: reader === undefined,
      level: reader?.level ?? 'normal',
    };
  }

  /** A new snapshot reaches as far down as the old one, as far as one answer can. */
  #loadedCount(): number {
    const loaded = this.#latest?.data?.items.filter(({ isPinned }) => !isPinned).length ?? 0;
    return Math.min(Math.max(loaded, this.#limit), LIMIT_MAX);
  }
}

type Loaded = { data: ThreadListWindow; cursor: LiveCursor };

/** How far the person has read in each thread of a course, by the thread's id. */
function courseReaders(
  connection: Connection,
  courseId: string,
  initial: CourseThreadsOptions['initialReaders'],
): LiveQuery<Readers> {
  const toMap = ({ items }: { items: ThreadReader[] }): Readers =>
    new Map(items.map((reader) => [reader.threadId, reader]));
  return liveQuery({
    connection,
    topic: `user:${connection.userId}`,
    load: async () => {
      const { data, cursor } = await connection.api.discussions.readers.query({ courseId });
      return { data: toMap(data), cursor };
    },
    apply(readers, event) {
      if (!isThreadReaderEvent(event) || event.data.courseId !== courseId) return readers;
      const { threadId, readNumber, level } = event.data;
      return new Map(readers).set(threadId, { threadId, readNumber, level });
    },
    initial: initial && { data: toMap(initial.data), cursor: initial.cursor },
  });
}
