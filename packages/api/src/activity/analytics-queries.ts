import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { onlyRow } from '../server/fragments.ts';
import type { Analytics, analyticsInput } from './analytics-contract.ts';
import { isCountedFrom, quarterCounted } from './quarters.ts';

type Asked = z.output<typeof analyticsInput>;

/** The first moment of the period. */
const startOf = ({ from, timeZone }: Asked): SQL =>
  sql`(${from}::date::timestamp at time zone ${timeZone})`;
/** The first moment after the period. */
const endOf = ({ to, timeZone }: Asked): SQL =>
  sql`((${to}::date + 1)::timestamp at time zone ${timeZone})`;
/** Whether a moment is in the period. */
const isWithin = (asked: Asked, column: SQL): SQL =>
  sql`${column} >= ${startOf(asked)} and ${column} < ${endOf(asked)}`;

/**
 * What happened in a course in a period: one statement a chart, all of one snapshot, under the
 * policies. What is counted by quarter (`course_activity_hours`) doesn't depend on how much happened.
 */
export async function analytics(tx: UserTransaction, asked: Asked): Promise<Analytics> {
  const [{ isTaught }, days, funnel, ratings, quizzes, hours] = await Promise.all([
    tx
      .execute<{ isTaught: boolean }>(
        sql`select ${asked.courseId}::uuid in (select private.taught_course_ids()) as "isTaught"`,
      )
      .then(onlyRow),
    readDays(tx, asked),
    readFunnel(tx, asked),
    readRatings(tx, asked),
    readQuizzes(tx, asked),
    readHours(tx, asked),
  ]);
  if (!isTaught) throw new ApiError('COURSE_NOT_FOUND');
  return { days, funnel, ratings, quizzes, hours };
}

function readDays(tx: UserTransaction, asked: Asked) {
  return tx.execute<Analytics['days'][number]>(sql`
    with counted as (
      select (${quarterCounted} at time zone ${asked.timeZone})::date as day, activity_type, sum(count) as count
      from public.course_activity_hours as counted
      where course_id = ${asked.courseId}::uuid
        and activity_type in ('enrolled', 'completed_course')
        and ${isCountedFrom(startOf(asked))} and ${quarterCounted} < ${endOf(asked)}
      group by 1, 2
    )
    select
      to_char(day.day, 'YYYY-MM-DD') as "day",
      coalesce(max(count) filter (where activity_type = 'enrolled'), 0)::integer as "enrolled",
      coalesce(max(count) filter (where activity_type = 'completed_course'), 0)::integer as "completed"
    from generate_series(${asked.from}::date::timestamp, ${asked.to}::date::timestamp, '1 day') as day (day)
    left join counted on counted.day = day.day::date
    group by day.day
    order by day.day`);
}

function readFunnel(tx: UserTransaction, asked: Asked) {
  return tx.execute<Analytics['funnel'][number]>(sql`
    with lesson as materialized (
      select
        lesson.id, lesson.title, module.title as module_title, lesson.kind,
        lesson.duration_minutes,
        row_number() over (order by module.position, module.id, lesson.position, lesson.id) as place
      from public.modules as module
      join public.lessons as lesson on lesson.module_id = module.id
      where module.course_id = ${asked.courseId}::uuid
        and module.is_published and lesson.is_published and lesson.is_required
    ), done as materialized (
      select completion.lesson_id, completion.user_id, completion.time_spent_seconds, completion.completed_at
      from lesson
      join public.lesson_completions as completion on completion.lesson_id = lesson.id
      where ${isWithin(asked, sql`completion.completed_at`)}
    ), finished as (
      select
        lesson_id,
        count(*) as completed,
        percentile_cont(0.5) within group (order by time_spent_seconds) as median_seconds
      from done
      group by lesson_id
    ), last_done as (
      select distinct on (done.user_id) done.user_id, done.lesson_id
      from done
      join lesson on lesson.id = done.lesson_id
      order by done.user_id, done.completed_at desc, lesson.place desc
    ), stopped as (
      select last_done.lesson_id, count(*) as stopped
      from last_done
      join public.enrollments as enrollment
        on enrollment.user_id = last_done.user_id
        and enrollment.course_id = ${asked.courseId}::uuid
        and enrollment.status = 'active'
      group by last_done.lesson_id
    )
    select
      lesson.id as "lessonId",
      lesson.title,
      lesson.module_title as "moduleTitle",
      lesson.kind,
      coalesce(finished.completed, 0)::integer as "completed",
      coalesce(stopped.stopped, 0)::integer as "stopped",
      finished.median_seconds as "medianSeconds",
      lesson.duration_minutes * 60 as "expectedSeconds"
    from lesson
    left join finished on finished.lesson_id = lesson.id
    left join stopped on stopped.lesson_id = lesson.id
    order by lesson.place`);
}

function readRatings(tx: UserTransaction, asked: Asked) {
  return tx.execute<Analytics['ratings'][number]>(sql`
    select rating.rating as "rating", count(review.id)::integer as "count"
    from generate_series(1, 5) as rating
    left join public.course_reviews as review
      on review.course_id = ${asked.courseId}::uuid
      and review.rating = rating.rating
      and ${isWithin(asked, sql`review.created_at`)}
    group by rating.rating
    order by rating.rating`);
}

function readQuizzes(tx: UserTransaction, asked: Asked) {
  return tx.execute<Analytics['quizzes'][number]>(sql`
    select
      lesson.id as "lessonId",
      lesson.title,
      count(*)::integer as "attempts",
      count(distinct attempt.user_id)::integer as "students",
      (count(distinct attempt.user_id) filter (where attempt.is_passed))::integer as "passed",
      round(avg(attempt.score), 1)::float8 as "averageScore"
    from public.modules as module
    join public.lessons as lesson on lesson.module_id = module.id and lesson.kind = 'quiz'
    join public.quiz_attempts as attempt
      on attempt.lesson_id = lesson.id and ${isWithin(asked, sql`attempt.submitted_at`)}
    where module.course_id = ${asked.courseId}::uuid
    group by lesson.id, lesson.title, module.position, lesson.position
    order by module.position, lesson.position, lesson.id`);
}

function readHours(tx: UserTransaction, asked: Asked) {
  return tx.execute<Analytics['hours'][number]>(sql`
    select hour.hour as "hour", coalesce(sum(counted.count), 0)::integer as "count"
    from generate_series(0, 23) as hour
    left join public.course_activity_hours as counted
      on extract(hour from ${quarterCounted} at time zone ${asked.timeZone}) = hour.hour
      and counted.course_id = ${asked.courseId}::uuid
      and ${isCountedFrom(startOf(asked))} and ${quarterCounted} < ${endOf(asked)}
    group by hour.hour
    order by hour.hour`);
}
