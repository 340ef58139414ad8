import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  jsonb,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { workshops } from '../attendance/tables.ts';
import { courses } from '../catalog/tables.ts';
import { currentUser, id, moment, taughtCourses } from '../columns.ts';
import { users } from '../identity/tables.ts';
import { privateSchema } from '../live/tables.ts';

/**
 * A user's last known presence, one row per course or workshop; the one without either is of the
 * portals as a whole.
 */
export const studentPresence = pgTable(
  'student_presence',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    courseId: uuid().references(() => courses.id, { onDelete: 'cascade' }),
    workshopId: uuid().references(() => workshops.id, { onDelete: 'cascade' }),
    status: text({ enum: ['online', 'away', 'offline'] })
      .notNull()
      .default('online'),
    lastSeenAt: moment().notNull().defaultNow(),
    metadata: jsonb().$type<Record<string, unknown>>().notNull().default({}),
  },
  (table) => [
    unique('student_presence_once_per_place')
      .on(table.userId, table.courseId, table.workshopId)
      .nullsNotDistinct(),
    check('student_presence_has_a_known_status', sql`status in ('online', 'away', 'offline')`),
    index('student_presence_by_course')
      .on(table.courseId, table.lastSeenAt)
      .where(sql`status <> 'offline'`),
    index('student_presence_by_workshop')
      .on(table.workshopId, table.lastSeenAt)
      .where(sql`status <> 'offline'`),
    index('student_presence_by_last_seen')
      .on(table.lastSeenAt)
      .where(sql`status <> 'offline'`),
    pgPolicy('users see their presence, staff that in their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or course_id in ${taughtCourses} or workshop_id in (select id from public.workshops where course_id in ${taughtCourses})`,
    }),
  ],
);

/**
 * Who is where now: a lease of 45 seconds, renewed by the browser through the API, so nobody can be
 * there as someone else. One row however many tabs and devices a person has.
 */
export const presenceLeases = privateSchema
  .table(
    'presence_leases',
    {
      topic: text().notNull(),
      userId: uuid()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      status: text({ enum: ['online', 'away', 'hidden'] }).notNull(),
      seenAt: moment().notNull(),
      /** When one of the tabs last was in front: another one that isn't doesn't make them away. */
      onlineAt: moment().notNull(),
    },
    (table) => [
      primaryKey({ name: 'presence_leases_once_per_person', columns: [table.topic, table.userId] }),
      check('presence_leases_have_a_known_status', sql`status in ('online', 'away', 'hidden')`),
      index('presence_leases_by_age').on(table.seenAt),
    ],
  )
  .enableRLS();

/** Topics with too many people to tell of each: their number is told once a second. */
export const presenceCrowds = privateSchema
  .table('presence_crowds', { topic: text().primaryKey() })
  .enableRLS();

/** Whether a person wants to be seen. No row: yes. */
export const presenceSettings = pgTable(
  'presence_settings',
  {
    userId: uuid()
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    isInvisible: boolean().notNull().default(false),
  },
  () => [
    pgPolicy('users decide whether they are seen', {
      for: 'all',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
      withCheck: sql`user_id = ${currentUser}`,
    }),
  ],
);
