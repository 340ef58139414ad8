import { sql, type SQL } from 'drizzle-orm';
import type { ACTIVITY_TYPES } from './kinds-contract.ts';

/** When a row of `course_activity_hours`, named `counted`, was: the beginning of its quarter. */
export const quarterCounted: SQL = sql`(counted.hour + counted.quarter * interval '15 minutes')`;

/** The same from a moment on, of which every time zone's midnight is one; by the index. */
export const isCountedFrom = (moment: SQL): SQL =>
  sql`(counted.hour > ${moment} - interval '1 hour' and ${quarterCounted} >= ${moment})`;

/**
 * The rows of courses from a moment on. Course by course, since Postgres, which can't know how few of
 * a year's rows these are, would read all of them.
 */
export function countedSince(
  taught: SQL,
  types: readonly (typeof ACTIVITY_TYPES)[number][],
  moment: SQL,
): SQL {
  return sql`
    (${taught} as taught (course_id) cross join lateral (
      select counted.*
      from public.course_activity_hours as counted
      where counted.course_id = taught.course_id
        and counted.activity_type = any (${`{${types.join(',')}}`}::text[])
        and ${isCountedFrom(moment)}
      offset 0
    ) as counted)`;
}
