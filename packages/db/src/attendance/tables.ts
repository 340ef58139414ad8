import { sql } from 'drizzle-orm';
import { check, index, integer, pgPolicy, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import {
  createdAt,
  currentUser,
  id,
  joinedCourses,
  moment,
  taughtCourses,
  updatedAt,
} from '../columns.ts';
import { users } from '../identity/tables.ts';

/** A meeting at a set time, of a course. */
export const workshops = pgTable(
  'workshops',
  {
    id: id(),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    description: text().notNull().default(''),
    location: text(),
    meetingUrl: text(),
    startsAt: moment().notNull(),
    endsAt: moment().notNull(),
    timeZone: text().notNull().default('UTC'),
    /** How many may register; without one, as many as want. */
    capacity: integer(),
    status: text({ enum: ['scheduled', 'live', 'ended', 'cancelled'] })
      .notNull()
      .default('scheduled'),
    createdBy: uuid().references(() => users.id, { onDelete: 'set null' }),
    createdAt: createdAt(),
    updatedAt: updatedAt(),
  },
  (table) => [
    check('workshops_have_a_title', sql`char_length(title) between 1 and 200`),
    check('workshops_end_after_they_start', sql`ends_at > starts_at`),
    check('workshops_have_room', sql`capacity > 0`),
    check(
      'workshops_have_a_known_status',
      sql`status in ('scheduled', 'live', 'ended', 'cancelled')`,
    ),
    index('workshops_by_start').on(table.courseId, table.startsAt, table.id),
    pgPolicy('members of a course see its workshops', {
      for: 'select',
      to: authenticatedRole,
      using: sql`course_id in ${joinedCourses}`,
    }),
  ],
);

/** A place in a workshop, or on its waiting list. */
export const workshopRegistrations = pgTable(
  'workshop_registrations',
  {
    id: id(),
    workshopId: uuid()
      .notNull()
      .references(() => workshops.id, { onDelete: 'cascade' }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    status: text({ enum: ['registered', 'waitlisted', 'cancelled', 'checked_in'] })
      .notNull()
      .default('registered'),
    registeredAt: createdAt(),
    checkedInAt: moment(),
    updatedAt: updatedAt(),
  },
  (table) => [
    unique('workshop_registrations_once_per_student').on(table.workshopId, table.userId),
    check(
      'workshop_registrations_have_a_known_status',
      sql`status in ('registered', 'waitlisted', 'cancelled', 'checked_in')`,
    ),
    check(
      'workshop_registrations_checked_in_have_a_moment',
      sql`(status = 'checked_in') = (checked_in_at is not null)`,
    ),
    index('workshop_registrations_in_order').on(table.workshopId, table.registeredAt, table.id),
    index('workshop_registrations_of_student_newest_first').on(
      table.userId,
      table.registeredAt.desc(),
      table.id.desc(),
    ),
    pgPolicy('students see their registrations, staff those of their workshops', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or workshop_id in (select id from public.workshops where course_id in ${taughtCourses})`,
    }),
  ],
);
