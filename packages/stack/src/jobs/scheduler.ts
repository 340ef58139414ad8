/** Runs a list of SQL statements on a schedule, as pg_cron does on hosted Supabase. */
import { Cron } from 'croner';
import postgres, { type Sql } from 'postgres';
import type { Log } from '../log.ts';

/** Something to do again and again. */
export type Job = {
  name: string;
  /** Five fields of cron, in UTC; or `1 seconds` to `59 seconds`, as pg_cron takes it too. */
  schedule: string;
  /** One or more statements, run in one transaction as role `postgres`. */
  sql: string;
};

/** Jobs that run until told otherwise. */
export type Scheduler = {
  /** Runs a job now, unless it is running. Resolves when it has ended, well or not. */
  run(name: string): Promise<void>;
  /** Starts no more, and waits for those that run. */
  stop(): Promise<void>;
};

/** How long a stop waits for a running job before its connection is cut. */
const STOP_PATIENCE_SECONDS = 5;

/** What is missing before an app's first migration. */
const NOT_THERE_YET = new Set(['42883', '42P01', '3F000']);

/**
 * Starts the schedule.
 * @param dbUrl connection string as role `postgres`
 */
export function startScheduler(dbUrl: string, jobs: readonly Job[], log: Log): Scheduler {
  const sql = postgres(dbUrl, {
    ...{ max: 4, idle_timeout: 20, onnotice: () => undefined },
    connection: { application_name: 'jobs' },
  });
  const run = (job: Job) => runJob(sql, job, log);
  const crons = jobs.map(
    // `protect`: a run that takes longer than its interval isn't joined by the next.
    (job) =>
      new Cron(patternOf(job), { timezone: 'UTC', protect: true, unref: true }, () => run(job)),
  );
  return {
    async run(name) {
      const job = jobs.find((candidate) => candidate.name === name);
      if (job === undefined) throw new Error(`There is no job ${name}.`);
      await run(job);
    },
    async stop() {
      for (const cron of crons) cron.stop();
      await sql.end({ timeout: STOP_PATIENCE_SECONDS });
    },
  };
}

/** What croner calls every so many seconds. */
function patternOf({ schedule }: Job): string {
  return isInSeconds(schedule) ? `*/${parseInt(schedule)} * * * * *` : schedule;
}

/** Whether a schedule is pg_cron's own form for less than a minute. */
const isInSeconds = (schedule: string) => /^\d+ seconds$/.test(schedule);

/** The lock is the database's, so a second stack or a person at psql with the same lock counts too. */
async function runJob(sql: Sql, job: Job, log: Log): Promise<void> {
  const began = performance.now();
  try {
    const hasRun = await sql.begin(async (tx) => {
      const [lock] = await tx<{ locked: boolean }[]>`
        select pg_try_advisory_xact_lock(hashtextextended(${`job ${job.name}`}, 0)) as locked`;
      if (lock?.locked !== true) return false;
      await tx.unsafe(job.sql);
      return true;
    });
    const took = `${Math.round(performance.now() - began)} ms`;
    const message = hasRun ? `${job.name} took ${took}` : `${job.name} is running already`;
    // What runs each second would fill the log with it.
    if (!isInSeconds(job.schedule)) log({ level: 'info', part: 'jobs', message });
  } catch (error) {
    const isEarly = error instanceof postgres.PostgresError && NOT_THERE_YET.has(error.code);
    log({
      level: isEarly ? 'warning' : 'error',
      part: 'jobs',
      message: `${job.name} failed: ${error instanceof Error ? error.message : String(error)}`,
    });
  }
}
