/** Work that is done on a schedule: by pg_cron where there is one, by the local stack elsewhere. */
export type Job = {
  name: string;
  /** Five fields of cron, in UTC; or `1 seconds` to `59 seconds`, as pg_cron takes it too. */
  schedule: string;
  /** One statement, run as role `postgres`. */
  sql: string;
};

/**
 * The one list of jobs. Each may run twice, late or not at all for a while without harm.
 * `jobs.sql` puts the same list into the database; a test compares the two.
 */
export const declaredJobs: readonly Job[] = [
  {
    name: 'cleanup-notifications',
    schedule: '0 2 * * *',
    sql: 'select public.cleanup_old_notifications()',
  },
  {
    name: 'expire-notifications',
    schedule: '* * * * *',
    sql: 'select private.expire_notifications()',
  },
  {
    name: 'end-ghost-presence',
    schedule: '10 seconds',
    sql: 'select private.end_ghost_presence()',
  },
  {
    name: 'tell-leaderboards',
    schedule: '1 seconds',
    sql: 'select private.tell_leaderboards()',
  },
  {
    name: 'tell-crowds',
    schedule: '1 seconds',
    sql: 'select private.tell_crowds()',
  },
  {
    name: 'tell-threads',
    schedule: '1 seconds',
    sql: 'select private.tell_threads()',
  },
  {
    name: 'tend-workshops',
    schedule: '* * * * *',
    sql: 'select private.tend_workshops()',
  },
  {
    name: 'remove-old-live-events',
    schedule: '17 * * * *',
    sql: 'select private.remove_old_live_events()',
  },
  {
    name: 'disarm-live-flushes',
    schedule: '* * * * *',
    sql: 'delete from private.live_flushes',
  },
  {
    name: 'remind-subscriptions',
    schedule: '*/10 * * * *',
    sql: 'select private.remind_subscriptions()',
  },
  {
    name: 'tidy-monitoring',
    schedule: '41 3 * * *',
    sql: 'select private.tidy_monitoring()',
  },
  {
    name: 'count-course-stats',
    schedule: '2 seconds',
    sql: 'select private.count_course_stats()',
  },
  {
    name: 'mend-course-stats',
    schedule: '51 3 * * *',
    sql: 'select private.mend_course_stats()',
  },
  {
    name: 'send-announcements',
    schedule: '10 seconds',
    sql: 'select private.send_due_announcement()',
  },
  {
    name: 'make-digests',
    schedule: '* * * * *',
    sql: 'select private.make_digests()',
  },
  {
    name: 'wake-notifications',
    schedule: '10 seconds',
    sql: 'select private.wake_notifications()',
  },
];

/** The same for a scheduler: each run is recorded, and none is joined by another of its job. */
export const jobs: readonly Job[] = declaredJobs.map((job) => ({
  ...job,
  sql: `select private.run_job('${job.name}')`,
}));
