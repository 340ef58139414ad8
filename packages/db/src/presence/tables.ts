import { sql } from 'drizzle-orm';
import { check, index, jsonb, pgPolicy, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { workshops } from '../attendance/tables.ts';
import { courses } from '../catalog/tables.ts';
import { currentUser, id, moment, taughtCourses } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** A user's last known presence, one row per course or workshop. */
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
      .on(table.courseId, table.lastSeenAt.desc())
      .where(sql`status <> 'offline'`),
    index('student_presence_by_workshop')
      .on(table.workshopId, table.lastSeenAt.desc())
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
