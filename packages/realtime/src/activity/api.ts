import type { ActivityFeed, CourseStats, LiveCursor } from '@homeroom/api/contract';

type Loaded<Data> = Promise<{ data: Data; cursor: LiveCursor }>;

/** The part of the API that the stores of what happens in a course need. */
export type ActivityApi = {
  activity: {
    feed: {
      query(input: { courseId?: string; cursor?: string; limit?: number }): Loaded<ActivityFeed>;
    };
    stats: { query(input: { courseId: string }): Loaded<CourseStats> };
  };
};
