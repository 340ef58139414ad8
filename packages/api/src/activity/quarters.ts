import { sql, type SQL } from 'drizzle-orm';

/** When a row of `course_activity_hours`, named `counted`, was: the beginning of its quarter. */
export const quarterCounted: SQL = sql`(counted.hour + counted.quarter * interval '15 minutes')`;

/** The same from a moment on, of which every time zone's midnight is one; by the index. */
export const isCountedFrom = (moment: SQL): SQL =>
  sql`(counted.hour > ${moment} - interval '1 hour' and ${quarterCounted} >= ${moment})`;
