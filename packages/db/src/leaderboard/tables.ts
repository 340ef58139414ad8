import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  date,
  index,
  integer,
  jsonb,
  pgPolicy,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { courses } from '../catalog/tables.ts';
import { createdAt, currentUser, moment } from '../columns.ts';
import { users } from '../identity/tables.ts';
import { privateSchema } from '../live/tables.ts';

/** What gives points, or takes them back. */
export const POINT_REASONS = [
  'course',
  'certificate',
  'time',
  'quiz',
  'achievement',
  'certificate_revoked',
] as const;

/** The ledger: why a student has the points that they have. Never changed, only added to. */
export const pointEntries = pgTable(
  'point_entries',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** Null: of no one course. */
    courseId: uuid().references(() => courses.id, { onDelete: 'set null' }),
    reason: text({ enum: POINT_REASONS }).notNull(),
    /** What it was for: the id of a lesson, course or certificate, the key of an achievement. */
    subject: text().notNull(),
    /** Which time it is, where one subject can give points more than once. */
    turn: integer().notNull().default(1),
    /** Tenths of a point: a minute gives one. */
    tenths: integer().notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    unique('point_entries_once_per_reason').on(
      table.userId,
      table.reason,
      table.subject,
      table.turn,
    ),
    check(
      'point_entries_have_a_known_reason',
      sql.raw(`reason in (${POINT_REASONS.map((reason) => `'${reason}'`).join(', ')})`),
    ),
    index('point_entries_newest_first').on(table.userId, table.createdAt, table.id),
    index('point_entries_by_course').on(table.courseId),
    pgPolicy('students see their own points', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);

/** Students who don't want to be on any leaderboard. They still see their own rank. */
export const hiddenStudents = pgTable(
  'hidden_students',
  {
    userId: uuid()
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: createdAt(),
  },
  () => [
    pgPolicy('students see whether they are hidden', {
      for: 'select',
      to: authenticatedRole,
      using: sql`user_id = ${currentUser}`,
    }),
  ],
);

/**
 * A student's score on a board: `global`, `week-<its Monday>`, or a course's id. Read through
 * functions only.
 */
export const leaderboardScores = privateSchema
  .table(
    'leaderboard_scores',
    {
      board: text().notNull(),
      userId: uuid()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      /** Tenths of a point. */
      score: integer().notNull().default(0),
      /** The same; null for those who aren't shown. */
      shownScore: integer(),
      /** The score that `leaderboard_counts` has counted; null when none. */
      countedScore: integer(),
      /** The week of the last change, and the score with which it began. */
      week: date().notNull(),
      scoreBeforeWeek: integer().notNull().default(0),
    },
    (table) => [
      primaryKey({ name: 'leaderboard_scores_pk', columns: [table.board, table.userId] }),
      index('leaderboard_scores_by_score').on(table.board, table.shownScore, table.userId),
      index('leaderboard_scores_to_count')
        .on(table.board)
        .where(sql`shown_score is distinct from counted_score`),
      index('leaderboard_scores_by_user').on(table.userId),
    ],
  )
  .enableRLS();

/**
 * How many students have which score: at level 0 exactly, at levels 1 and 2 in buckets of 64 and
 * 4,096 scores. So a rank is a sum over a few of these, however many students there are.
 */
export const leaderboardCounts = privateSchema
  .table(
    'leaderboard_counts',
    {
      board: text().notNull(),
      level: integer().notNull(),
      bucket: integer().notNull(),
      students: integer().notNull(),
    },
    (table) => [
      primaryKey({
        name: 'leaderboard_counts_pk',
        columns: [table.board, table.level, table.bucket],
      }),
    ],
  )
  .enableRLS();

/** What was last told of each leaderboard on its topic. `scope` is `global`, `week` or a course's id. */
export const leaderboardTold = privateSchema
  .table('leaderboard_told', {
    scope: text().primaryKey(),
    board: text().notNull(),
    /** The first hundred, as told. */
    entries: jsonb().notNull().default([]),
    students: integer().notNull().default(0),
    /** Something else than a score has changed: a name, a picture, the week. */
    isStale: boolean().notNull().default(false),
    toldAt: moment().notNull().defaultNow(),
  })
  .enableRLS();

/** Who looks at their own rank at the moment, and what they were last told of it. */
export const leaderboardFollowers = privateSchema
  .table(
    'leaderboard_followers',
    {
      userId: uuid()
        .notNull()
        .references(() => users.id, { onDelete: 'cascade' }),
      scope: text().notNull(),
      /** Null: to be told at the next change, whatever it is. */
      told: jsonb(),
      until: moment().notNull(),
    },
    (table) => [
      primaryKey({ name: 'leaderboard_followers_pk', columns: [table.scope, table.userId] }),
      index('leaderboard_followers_by_user').on(table.userId),
    ],
  )
  .enableRLS();
