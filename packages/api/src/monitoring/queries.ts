import { sql, type SQL } from 'drizzle-orm';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { isoTime, onlyRow } from '../server/fragments.ts';
import type { JobState, LatencySummary, MonitoringOverview } from './contract.ts';
import { quantile } from './histogram.ts';

/** A transaction of an administrator's, or the database itself. */
type Executor = Pick<UserTransaction, 'execute'>;

/** How much waits to be done. */
export async function readQueues(db: Executor): Promise<MonitoringOverview['queues']> {
  return [
    ...(await db.execute<MonitoringOverview['queues'][number]>(
      sql`select queue, depth::float8 as "depth" from private.queue_depths()`,
    )),
  ];
}

/** Every job, with how it went last. */
export async function readJobs(db: Executor): Promise<JobState[]> {
  return [
    ...(await db.execute<JobState>(sql`
      select
        name,
        schedule,
        ${isoTime(sql`last_finished_at`)} as "lastFinishedAt",
        last_ok as "lastOk",
        last_rows::float8 as "lastRows",
        last_ms as "lastMs",
        last_error as "lastError",
        ${isoTime(sql`last_failed_at`)} as "lastFailedAt",
        failures::float8 as "failures"
      from private.jobs
      order by coalesce(last_ok, true), name`)),
  ];
}

type Hour = Pick<MonitoringOverview, 'at' | 'minutes' | 'engagement'> & {
  screenBuckets: number[];
  callBuckets: number[];
};

/** The sums of a histogram's buckets over some rows. */
const bucketSums = (column: SQL) => sql`
  coalesce((
    select jsonb_agg(total order by position)
    from (
      select position, sum(count) as total
      from hour, unnest(${column}) with ordinality as bucket (count, position)
      group by position
    ) as totals
  ), '[]')`;

/** The last hour, minute by minute, both portals together. */
async function readHour(db: Executor): Promise<Hour> {
  return onlyRow(
    await db.execute<Hour>(sql`
      with hour as (
        select * from private.monitoring_minutes where minute > now() - interval '1 hour'
      ), summed as (
        select
          minute, sum(calls) as calls, sum(failed_calls) as failed_calls, sum(tabs) as tabs,
          sum(live_tabs) as live_tabs, sum(opened) as opened, sum(failed) as failed,
          sum(lost) as lost, sum(recovered) as recovered, sum(messages) as messages,
          sum(browser_errors) as browser_errors
        from hour
        group by minute
      )
      select
        ${isoTime(sql`clock_timestamp()`)} as "at",
        coalesce((
          select jsonb_agg(
            jsonb_build_object(
              'minute', ${isoTime(sql`minute`)}, 'calls', calls, 'failedCalls', failed_calls,
              'tabs', tabs, 'liveTabs', live_tabs, 'opened', opened, 'failed', failed,
              'lost', lost, 'recovered', recovered, 'messages', messages,
              'browserErrors', browser_errors
            )
            order by minute
          )
          from summed
        ), '[]') as "minutes",
        ${bucketSums(sql`screen_buckets`)} as "screenBuckets",
        ${bucketSums(sql`call_buckets`)} as "callBuckets",
        (
          select jsonb_build_object(
            'liveSeconds', coalesce(sum(live_seconds), 0),
            'stillSeconds', coalesce(sum(still_seconds), 0),
            'liveActions', coalesce(sum(live_actions), 0),
            'stillActions', coalesce(sum(still_actions), 0)
          )
          from hour
        ) as "engagement"`),
  );
}

function summarize(buckets: readonly number[]): LatencySummary {
  return {
    samples: buckets.reduce((sum, count) => sum + count, 0),
    p50Ms: quantile(buckets, 0.5),
    p95Ms: quantile(buckets, 0.95),
    p99Ms: quantile(buckets, 0.99),
  };
}

/** What an administrator sees of the running system; nothing to others, by policy. */
export async function readOverview(
  db: Executor,
  userId: string,
): Promise<Live<MonitoringOverview>> {
  const topic = userTopic(userId);
  // First, so that whatever comes meanwhile is told after it.
  const { seq } = onlyRow(
    await db.execute<{ seq: number }>(sql`select ${liveHead(topic)} as "seq"`),
  );
  const [{ screenBuckets, callBuckets, ...hour }, jobs, queues, errors] = await Promise.all([
    readHour(db),
    readJobs(db),
    readQueues(db),
    db.execute<MonitoringOverview['errors'][number]>(sql`
      select
        fingerprint, source, place, message, path, occurrences::float8 as "occurrences",
        ${isoTime(sql`last_seen_at`)} as "lastSeenAt"
      from private.browser_errors
      order by last_seen_at desc
      limit 20`),
  ]);
  const data = {
    ...hour,
    screen: summarize(screenBuckets),
    calls: summarize(callBuckets),
    jobs,
    queues,
    errors: [...errors],
  };
  return { data, cursor: { topic, seq } };
}

/** The same, for someone who goes on looking: told of changes on their own topic for a minute. */
export async function watchOverview(
  db: Executor,
  userId: string,
): Promise<Live<MonitoringOverview>> {
  await db.execute(sql`select private.watch_monitoring()`);
  return readOverview(db, userId);
}
