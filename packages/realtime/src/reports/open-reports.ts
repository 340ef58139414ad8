import type { Readable } from 'svelte/store';
import type { LiveEvent } from '../connection/api.ts';
import type { Connection } from '../connection/connection.ts';
import {
  liveQuery,
  type LiveQueryState,
  type LiveQuery,
  type Snapshot,
} from '../live-query/live-query.ts';

/** What the reports of discussions and of direct messages have in common. */
export type Report = { id: string; status: string; createdAt: string };

/** Open reports, newest first, down to where `nextCursor` goes on. */
export type ReportPage<R extends Report> = { items: R[]; nextCursor: string | null };

/** What a list of open reports is made of. */
export type OpenReportsOptions<R extends Report> = {
  connection: Connection;
  topic: string;
  /** The event that tells how one report stands. */
  event: 'report.updated' | 'message_report.updated';
  /** Open reports after a cursor. */
  load(cursor: string | undefined): Promise<Snapshot<ReportPage<R>>>;
  initial: Snapshot<ReportPage<R>>;
};

/** Open reports, live. */
export type OpenReportsStore<R extends Report> = Readable<LiveQueryState<ReportPage<R>>> & {
  /** Those that are older; false when that failed. */
  loadOlder(): Promise<boolean>;
};

/** What nobody has decided about yet, in a course or among direct messages. */
export function openReports<R extends Report>(options: OpenReportsOptions<R>): OpenReportsStore<R> {
  const { connection, topic, event: name, load, initial } = options;
  let cursor = initial.data.nextCursor;
  const query: LiveQuery<ReportPage<R>> = liveQuery({
    connection,
    topic,
    load: () => load(undefined),
    apply: (page, event) => (event.event === name ? applyReport(page, event) : page),
    // All that was loaded is decided, and there is more.
    needsReload: ({ items, nextCursor }) => items.length === 0 && nextCursor !== null,
    initial,
  });
  return {
    subscribe: (run) =>
      query.subscribe((state) => {
        cursor = state.data?.nextCursor ?? null;
        run(state);
      }),
    loadOlder: () => {
      const after = cursor;
      return after === null ? Promise.resolve(false) : query.extend(() => load(after), withOlder);
    },
  };
}

/**
 * A page after one report was made or decided about. Pure. Only the database can send on these
 * topics, so the event's data is taken to have its shape.
 */
export function applyReport<R extends Report>(
  page: ReportPage<R>,
  { data }: Pick<LiveEvent, 'data'>,
): ReportPage<R> {
  const { report } = data as { report: R };
  const others = page.items.filter(({ id }) => id !== report.id);
  const last = page.items.at(-1);
  const isBelow = page.nextCursor !== null && last !== undefined && compare(last, report) < 0;
  if (report.status !== 'open' || isBelow) return { ...page, items: others };
  return { ...page, items: [...others, report].sort(compare) };
}

function withOlder<R extends Report>(page: ReportPage<R>, older: ReportPage<R>): ReportPage<R> {
  const known = new Set(page.items.map(({ id }) => id));
  const items = [...page.items, ...older.items.filter(({ id }) => !known.has(id))];
  return { items: items.sort(compare), nextCursor: older.nextCursor };
}

/** Negative when `a` stands before `b`: the newest first, and the id decides. */
function compare(a: Report, b: Report): number {
  if (a.createdAt !== b.createdAt) return a.createdAt > b.createdAt ? -1 : 1;
  if (a.id !== b.id) return a.id > b.id ? -1 : 1;
  return 0;
}
