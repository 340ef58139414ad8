import type { ActivityFeed, Activity, CourseStats } from '@homeroom/api/contract';
import { derived, type Readable } from 'svelte/store';
import type { Connection } from '../connection/connection.ts';
import { liveQuery, type LiveQueryState, type Snapshot } from '../live-query/live-query.ts';
import { notifications, type NotificationsStore } from '../notifications/store.ts';
import { presence, type PresenceStore } from '../presence/store.ts';
import { applyToFeed, applyToStats, toWindow, withPage, type FeedWindow } from './apply.ts';
import { groupActivities, type ActivityGroup } from './groups.ts';

/** Happenings per page: enough for a screen of groups. */
const FEED_LIMIT = 40;
/** The most that the API gives at once. */
const LIMIT_MAX = 100;

/** What students did. */
export type StudentActivityState = Omit<LiveQueryState<unknown>, 'data'> & {
  /** Newest first, down to the last page loaded. */
  activities: readonly Activity[];
  /** The same, with what belongs together as one. */
  groups: readonly ActivityGroup[];
  /** The first page isn't there yet. */
  loading: boolean;
  hasMore: boolean;
};

/** What students did, live. */
export type StudentActivityStore = Readable<StudentActivityState> & {
  /** Loads what is older; false when that failed. */
  loadMore(): Promise<boolean>;
};

/**
 * What students did in a course, or in all that the instructor teaches (`null`): there, the
 * instructor's own topic says that something has happened, at most once in two seconds a course,
 * and the feed is read again. `initial` is what `activity.feed` gave to the server-rendered page.
 */
export function studentActivity(
  connection: Connection,
  courseId: string | null,
  { initial }: { initial?: Snapshot<ActivityFeed> } = {},
): StudentActivityStore {
  const { feed } = connection.api.activity;
  const of = courseId === null ? {} : { courseId };
  let loaded = initial?.data.items.length ?? 0;
  let nextCursor = initial?.data.nextCursor ?? null;
  const load = async (input: { limit: number; cursor?: string }) =>
    windowOf(await feed.query({ ...of, ...input }));
  const query = liveQuery<FeedWindow>({
    connection,
    topic: courseId === null ? `user:${connection.userId}` : `course:${courseId}:staff`,
    load: () => load({ limit: Math.min(Math.max(loaded, FEED_LIMIT), LIMIT_MAX) }),
    apply: (window, event) => {
      if (courseId !== null) return applyToFeed(window, event, courseId);
      return event.event === 'course_stats.changed' ? { ...window, isStale: true } : window;
    },
    needsReload: ({ isStale }) => isStale,
    initial: initial && windowOf(initial),
  });
  const shown = derived(query, ({ data, ...state }): StudentActivityState => {
    loaded = data?.items.length ?? 0;
    nextCursor = data?.nextCursor ?? null;
    const activities = data?.items ?? [];
    return {
      ...state,
      activities,
      groups: groupActivities(activities),
      loading: data === undefined && state.status !== 'stopped',
      hasMore: nextCursor !== null,
    };
  });
  return {
    subscribe: (run) => shown.subscribe(run),
    loadMore() {
      const cursor = nextCursor;
      if (cursor === null) return Promise.resolve(false);
      return query.extend(() => load({ limit: FEED_LIMIT, cursor }), withPage);
    },
  };
}

function windowOf({ data, cursor }: Snapshot<ActivityFeed>): Snapshot<FeedWindow> {
  return { data: toWindow(data), cursor };
}

/** The figures of a course. */
export type CourseStatsState = Omit<LiveQueryState<unknown>, 'data'> & {
  stats: CourseStats | undefined;
  loading: boolean;
};

/** The figures of a course, live. */
export type CourseStatsStore = Readable<CourseStatsState>;

/** The figures of a course, moved by each happening as it comes. For its staff. */
export function courseStats(
  connection: Connection,
  courseId: string,
  { initial }: { initial?: Snapshot<CourseStats> } = {},
): CourseStatsStore {
  const query = liveQuery<CourseStats>({
    connection,
    topic: `course:${courseId}:staff`,
    load: () => connection.api.activity.stats.query({ courseId }),
    apply: applyToStats,
    initial,
  });
  return derived(query, ({ data, ...state }) => ({
    ...state,
    stats: data,
    loading: data === undefined && state.status !== 'stopped',
  }));
}

/** Everything that an instructor follows of a course. */
export type InstructorRealtime = {
  notifications: NotificationsStore;
  activity: StudentActivityStore;
  stats: CourseStatsStore;
  presence: PresenceStore;
};

/** Everything that an instructor follows of a course: a store each, over two topics and presence. */
export function instructorRealtime(
  connection: Connection,
  courseId: string,
  { activity, stats }: { activity?: Snapshot<ActivityFeed>; stats?: Snapshot<CourseStats> } = {},
): InstructorRealtime {
  return {
    notifications: notifications(connection),
    activity: studentActivity(connection, courseId, activity && { initial: activity }),
    stats: courseStats(connection, courseId, stats && { initial: stats }),
    presence: presence(connection, { course: courseId }),
  };
}
