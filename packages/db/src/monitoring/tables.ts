import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgPolicy,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import { authenticatedRole } from 'drizzle-orm/supabase';
import { createdAt, moment } from '../columns.ts';
import { users } from '../identity/tables.ts';
import { privateSchema } from '../live/tables.ts';

/** What administrators see and nobody else. */
const forAdministrators = (what: string) =>
  pgPolicy(`administrators see ${what}`, {
    for: 'select',
    to: authenticatedRole,
    using: sql`(select private.is_admin())`,
  });

const count = () => bigint({ mode: 'number' }).notNull().default(0);

/** The list of jobs, as `jobs.sql` declares it, with how each went last. */
export const scheduledJobs = privateSchema.table(
  'jobs',
  {
    name: text().primaryKey(),
    schedule: text().notNull(),
    /** One statement, run as role `postgres` by `private.run_job`. */
    statement: text().notNull(),
    /** For a job that runs every few seconds and finds nothing to do, within the last half minute. */
    lastFinishedAt: moment(),
    lastOk: boolean(),
    lastRows: bigint({ mode: 'number' }),
    lastMs: integer(),
    lastError: text(),
    lastFailedAt: moment(),
    failures: count(),
  },
  () => [forAdministrators('the jobs')],
);

/**
 * Runs of jobs, for two weeks. Of a job that runs every few seconds, only the runs that failed. A
 * failure that repeats is one row.
 */
export const jobRuns = privateSchema.table(
  'job_runs',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    startedAt: moment().notNull(),
    finishedAt: moment().notNull(),
    isOk: boolean().notNull(),
    rowCount: bigint({ mode: 'number' }).notNull().default(0),
    error: text(),
    /** How often the same failure came in a row. */
    repeats: integer().notNull().default(1),
  },
  (table) => [
    index('job_runs_of_job_newest_first').on(table.name, table.id),
    index('job_runs_by_age').on(table.finishedAt),
    forAdministrators('the runs of jobs'),
  ],
);

/**
 * What happened in a minute, as a portal counted it and as browsers reported it: for 30 days. The
 * two arrays are histograms; their bounds are the API's (`LATENCY_BOUNDS_MS`).
 */
export const monitoringMinutes = privateSchema.table(
  'monitoring_minutes',
  {
    minute: moment().notNull(),
    /** Which portal. */
    source: text().notNull(),
    calls: count(),
    /** Calls that failed by a fault of ours. */
    failedCalls: count(),
    callBuckets: bigint({ mode: 'number' }).array().notNull().default([]),
    /** The most tabs that were open at once, and those of them that were live. */
    tabs: count(),
    liveTabs: count(),
    opened: count(),
    failed: count(),
    lost: count(),
    recovered: count(),
    messages: count(),
    /** From commit to screen. */
    screenBuckets: bigint({ mode: 'number' }).array().notNull().default([]),
    /** For how long pages were looked at, with and without live updates; and what was done there. */
    liveSeconds: count(),
    stillSeconds: count(),
    liveActions: count(),
    stillActions: count(),
    browserErrors: count(),
  },
  (table) => [
    primaryKey({ name: 'monitoring_minutes_one_each', columns: [table.minute, table.source] }),
    check('monitoring_minutes_are_of_a_portal', sql`source ~ '^[a-z]{1,20}$'`),
    forAdministrators('the monitoring'),
  ],
);

/** Administrators who look at the system's page now: who isn't looking is told nothing of it. */
export const monitoringWatchers = privateSchema
  .table('monitoring_watchers', {
    userId: uuid()
      .primaryKey()
      .references(() => users.id, { onDelete: 'cascade' }),
    until: moment().notNull(),
  })
  .enableRLS();

/** Errors of browsers, the same ones together, for 30 days after they were last seen. */
export const browserErrors = privateSchema.table(
  'browser_errors',
  {
    /** Hash of source, place and message. */
    fingerprint: text().primaryKey(),
    source: text().notNull(),
    /** Which part of the page: the name of its boundary. */
    place: text().notNull(),
    message: text().notNull(),
    /** Where it was seen last. */
    path: text().notNull(),
    occurrences: count(),
    firstSeenAt: createdAt(),
    lastSeenAt: createdAt(),
  },
  (table) => [
    check(
      'browser_errors_are_short',
      sql`char_length(message) <= 500 and char_length(path) <= 300 and char_length(place) <= 100`,
    ),
    index('browser_errors_newest_first').on(table.lastSeenAt),
    forAdministrators('the errors of browsers'),
  ],
);
