import type { CourseContent } from '@homeroom/api/contract';
import { derived, type Readable } from 'svelte/store';
import type { Connection } from '../connection/connection.ts';
import { liveQuery, type LiveQueryState, type Snapshot } from '../live-query/live-query.ts';
import { apply, toWindow, type ContentWindow, type Publication } from './apply.ts';

export type { Publication } from './apply.ts';

/** What a course consists of. */
export type CourseContentState = Omit<LiveQueryState<unknown>, 'data'> & {
  content: CourseContent | undefined;
  /** What was published last, since one began to look; `undefined` when nothing was. */
  published: Publication | undefined;
};

/** What a course consists of, live. */
export type CourseContentStore = Readable<CourseContentState>;

/**
 * What a course consists of, patched in place as its authors publish. `initial` is what
 * `catalog.content` gave to the server-rendered page.
 */
export function courseContent(
  connection: Connection,
  courseId: string,
  { initial }: { initial?: Snapshot<CourseContent> } = {},
): CourseContentStore {
  const query = liveQuery<ContentWindow>({
    connection,
    topic: `course:${courseId}`,
    load: async () => windowOf(await connection.api.catalog.content.query({ courseId })),
    apply,
    needsReload: ({ isStale }) => isStale,
    initial: initial && windowOf(initial),
  });
  return derived(query, ({ data, ...state }) => ({
    ...state,
    content: data?.content,
    published: data?.published,
  }));
}

function windowOf({ data, cursor }: Snapshot<CourseContent>): Snapshot<ContentWindow> {
  return { data: toWindow(data), cursor };
}
