import { sql } from 'drizzle-orm';
import { check, index, pgPolicy, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { currentUser, id, moment, taughtCourses } from '../columns.ts';
import { users } from '../identity/tables.ts';

/** Says that a student has finished a course: one per student and course, with a public serial. */
export const certificates = pgTable(
  'certificates',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    courseId: uuid()
      .notNull()
      .references(() => courses.id, { onDelete: 'restrict' }),
    serialNumber: text()
      .notNull()
      .default(sql`'HR-' || upper(replace(gen_random_uuid()::text, '-', ''))`),
    issuedAt: moment().notNull().defaultNow(),
    revokedAt: moment(),
    revocationReason: text(),
  },
  (table) => [
    unique('certificates_once_per_student').on(table.userId, table.courseId),
    unique('certificates_have_a_serial_of_their_own').on(table.serialNumber),
    check(
      'certificates_revoked_with_a_reason',
      sql`(revoked_at is null) = (revocation_reason is null)`,
    ),
    index('certificates_by_course').on(table.courseId, table.issuedAt),
    pgPolicy('students see their certificates, staff those of their courses', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser} or course_id in ${taughtCourses}`,
    }),
  ],
);
