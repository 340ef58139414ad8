import type { RosterRow } from '@homeroom/api/contract';
import type { Readable } from 'svelte/store';
import type { RosterPage } from '../connection/api.ts';
import type { Connection } from '../connection/connection.ts';
import type { LiveError } from '../connection/errors.ts';
import { Composite } from '../live-query/composite.ts';
import {
  liveQuery,
  type LiveQuery,
  type LiveQueryState,
  type LiveStatus,
  type Snapshot,
} from '../live-query/live-query.ts';
import { applyToRoster, toRosterWindow, withRosterPage, type RosterWindow } from './roster.ts';

/** Students per page: as many as the API gives at once. */
const LIMIT = 100;

/** What a course's roster shows. */
export type CourseRosterState = {
  status: LiveStatus;
  /** The newest enrollment first. */
  students: readonly RosterRow[];
  loading: boolean;
  loadingMore: boolean;
  hasMore: boolean;
  error: LiveError | undefined;
  lastEventAt: number | undefined;
  latencyMs: number | undefined;
};

/** The students of a course with how far they are, live, for its staff. */
export type CourseRosterStore = Readable<CourseRosterState> & { loadMore(): Promise<boolean> };

/**
 * The students of a course, with progress, scores and certificates, as they move. `initial` is what
 * `progress.roster` gave to the server-rendered page.
 */
export function courseRoster(
  connection: Connection,
  courseId: string,
  { limit = LIMIT, initial }: { limit?: number; initial?: Snapshot<RosterPage> } = {},
): CourseRosterStore {
  return new CourseRoster(connection, courseId, limit, initial);
}

class CourseRoster extends Composite<CourseRosterState> implements CourseRosterStore {
  readonly #load: (cursor: string | undefined) => Promise<Snapshot<RosterPage>>;
  readonly #query: LiveQuery<RosterWindow>;
  #latest: LiveQueryState<RosterWindow> | undefined;
  #loadingMore: Promise<boolean> | undefined;

  constructor(
    connection: Connection,
    courseId: string,
    limit: number,
    initial: Snapshot<RosterPage> | undefined,
  ) {
    super();
    this.#load = (cursor) => connection.api.progress.roster.query({ courseId, limit, cursor });
    this.#query = liveQuery({
      connection,
      topic: `course:${courseId}:staff`,
      load: () => this.#loadAll(),
      apply: applyToRoster,
      needsReload: ({ isOld }) => isOld,
      initial: initial && { data: toRosterWindow([initial.data]), cursor: initial.cursor },
    });
  }

  loadMore(): Promise<boolean> {
    const cursor = this.#latest?.data?.nextCursor;
    if (this.#loadingMore) return this.#loadingMore;
    if (!cursor) return Promise.resolve(false);
    const load = async () => {
      const page = await this.#load(cursor);
      return { data: toRosterWindow([page.data]), cursor: page.cursor };
    };
    this.#loadingMore = this.#query.extend(load, withRosterPage).finally(() => {
      this.#loadingMore = undefined;
      this.changed();
    });
    this.changed();
    return this.#loadingMore;
  }

  protected override followSources(): (() => void)[] {
    return [
      this.#query.subscribe((state) => {
        this.#latest = state;
        this.changed();
      }),
    ];
  }

  protected override look(): CourseRosterState {
    const { data, status = 'connecting', error, lastEventAt, latencyMs } = this.#latest ?? {};
    return {
      status,
      students: data?.items ?? [],
      loading: data === undefined && status !== 'stopped',
      loadingMore: this.#loadingMore !== undefined,
      hasMore: data !== undefined && data.nextCursor !== null,
      error,
      lastEventAt,
      latencyMs,
    };
  }

  /**
   * As far down as was loaded before. Of several pages the first one's number counts: those below are
   * newer, and what they have already is applied again, which changes nothing, since every event sets
   * what it tells.
   */
  async #loadAll(): Promise<Snapshot<RosterWindow>> {
    const wanted = this.#latest?.data?.items.length ?? 0;
    const first = await this.#load(undefined);
    const pages = [first.data];
    for (;;) {
      const cursor = pages.at(-1)?.nextCursor;
      const loaded = pages.reduce((sum, { items }) => sum + items.length, 0);
      if (!cursor || loaded >= wanted) break;
      pages.push((await this.#load(cursor)).data);
    }
    return { data: toRosterWindow(pages), cursor: first.cursor };
  }
}
