import { sql } from 'drizzle-orm';
import { timestamp, uuid } from 'drizzle-orm/pg-core';

/** The key of a row that has no better one. */
export const id = () => uuid().primaryKey().defaultRandom();

/** A moment, to the microsecond. Read as a string: a JavaScript Date would cut it to milliseconds. */
export const moment = () => timestamp({ withTimezone: true, mode: 'string' });

/** When the row was written. */
export const createdAt = () => moment().notNull().defaultNow();

/** When the row was last changed; kept by the trigger `touch_updated_at`. */
export const updatedAt = () => moment().notNull().defaultNow();

/** The signed-in user, evaluated once per statement rather than once per row. */
export const currentUser = sql`(select auth.uid())`;

/** The ids of the courses whose staff the signed-in user belongs to (all, for an administrator). */
export const taughtCourses = sql`(select private.taught_course_ids())`;

/** The ids of the courses the signed-in user takes part in, as student or as staff. */
export const joinedCourses = sql`(select private.joined_course_ids())`;
