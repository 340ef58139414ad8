import { sql, type SQL } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, isoTime, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import {
  TREND_DAYS,
  type Activity,
  type CoursePayment,
  type ActivityFeed,
  type CourseStats,
  type feedInput,
  type Overview,
  type paymentsInput,
  type paymentsOutput,
} from './contract.ts';
import { ACTIVITY_TYPES } from './kinds-contract.ts';
import { countedSince, quarterCounted } from './quarters.ts';

/** How many of each kind need attention at once; the number of all is told beside them. */
const ATTENTION_ROWS = 5;
/** What the trends show. */
const TREND_TYPES = ['enrolled', 'completed_course', 'reviewed', 'paid'] as const;
/** Nobody counts further: "1,000+". */
const ATTENTION_COUNT_MAX = 1000;

/** Where what is shown is told: of a course to its staff, of all courses to the reader. */
function topicOf(userId: string, courseId: string | undefined): string {
  return courseId === undefined ? userTopic(userId) : `course:${courseId}:staff`;
}

/** The ids of the courses that are asked for, of those that the reader teaches. */
function coursesOf(userId: string, courseId: string | undefined): SQL {
  return courseId === undefined
    ? sql`(select course_id from public.course_instructors where user_id = ${userId}::uuid)`
    : sql`(select id from private.taught_course_ids() as id where id = ${courseId}::uuid)`;
}

/** A part of what happened, newest first: the newest of each course, merged. */
export async function feed(
  tx: UserTransaction,
  userId: string,
  { courseId, cursor, limit }: z.output<typeof feedInput>,
): Promise<Live<ActivityFeed>> {
  const topic = topicOf(userId, courseId);
  const { rows, seq } = onlyRow(
    await tx.execute<{ rows: Activity[]; seq: number }>(sql`
      select
        coalesce((
          select jsonb_agg(
            jsonb_build_object(
              'id', newest.id,
              'courseId', newest.course_id,
              'type', newest.activity_type,
              'userId', newest.user_id,
              'studentName', private.display_name(student.first_name, student.last_name),
              'createdAt', private.iso_time(newest.created_at),
              'data', newest.data
            )
            order by newest.created_at desc, newest.id desc
          )
          from (
            select activity.*
            from ${coursesOf(userId, courseId)} as taught (course_id)
            cross join lateral (
              select *
              from public.student_activity
              where student_activity.course_id = taught.course_id
                and ${isAfter(cursor, sql`student_activity.created_at`, sql`student_activity.id`)}
              order by student_activity.created_at desc, student_activity.id desc
              limit ${rowCount(limit + 1)}
            ) as activity
            order by activity.created_at desc, activity.id desc
            limit ${rowCount(limit + 1)}
          ) as newest
          left join public.profiles as student on student.id = newest.user_id
        ), '[]') as "rows",
        ${liveHead(topic)} as "seq"`),
  );
  return { data: toPage(rows, limit, (row) => row), cursor: { topic, seq } };
}

/** The figures of a course that the reader teaches. */
export async function courseStats(
  tx: UserTransaction,
  courseId: string,
): Promise<Live<CourseStats>> {
  const topic = `course:${courseId}:staff`;
  const { stats, seq } = onlyRow(
    await tx.execute<{ stats: CourseStats[]; seq: number }>(sql`
      select
        public.course_stats_live(array[${courseId}::uuid]) as "stats",
        ${liveHead(topic)} as "seq"`),
  );
  const [data] = stats;
  if (!data) throw new ApiError('COURSE_NOT_FOUND');
  return { data, cursor: { topic, seq } };
}

/** A part of the payments for a course, newest first. */
export async function payments(
  tx: UserTransaction,
  { courseId, cursor, limit }: z.output<typeof paymentsInput>,
): Promise<z.infer<typeof paymentsOutput>> {
  const rows = await tx.execute<CoursePayment>(sql`
    select
      payment.id,
      private.display_name(payer.first_name, payer.last_name) as "payerName",
      payment.amount_cents as "amountCents",
      payment.currency,
      payment.status,
      ${isoTime(sql`payment.created_at`)} as "createdAt",
      ${isoTime(sql`payment.paid_at`)} as "paidAt"
    from public.payments as payment
    left join public.profiles as payer on payer.id = payment.user_id
    where payment.course_id = ${courseId}::uuid
      and payment.course_id in (select private.taught_course_ids())
      and ${isAfter(cursor, sql`payment.created_at`, sql`payment.id`)}
    order by payment.created_at desc, payment.id desc
    limit ${rowCount(limit + 1)}`);
  return toPage(rows, limit, (row) => row);
}

/** What the first page shows, the feed apart. Its parts are read at the same time, in one snapshot. */
export async function overview(
  tx: UserTransaction,
  userId: string,
  courseId: string | undefined,
): Promise<Live<Overview>> {
  const topic = topicOf(userId, courseId);
  const taught = coursesOf(userId, courseId);
  const [courses, days, hours, questions, stuck, inactive, workshops, head] = await Promise.all([
    readCourses(tx, taught),
    readDays(tx, userId, taught),
    readHours(tx, taught),
    readQuestions(tx, taught),
    readStuck(tx, taught),
    readInactive(tx, taught),
    readWorkshops(tx, userId, taught),
    tx.execute<{ seq: number }>(sql`select ${liveHead(topic)} as "seq"`),
  ]);
  if (courseId !== undefined && courses.length === 0) throw new ApiError('COURSE_NOT_FOUND');
  return {
    data: { courses, days, hours, attention: { questions, stuck, inactive, workshops } },
    cursor: { topic, seq: onlyRow(head).seq },
  };
}

async function readCourses(tx: UserTransaction, taught: SQL): Promise<Overview['courses']> {
  return tx.execute<Overview['courses'][number]>(sql`
    select course.id, course.slug, course.title, figures.stats
    from jsonb_array_elements(public.course_stats_live(array${taught})) as figures (stats)
    join public.courses as course on course.id = (figures.stats ->> 'courseId')::uuid
    order by course.title, course.id`);
}

/** Each of the last days in the reader's time zone, also those on which nothing happened. */
async function readDays(
  tx: UserTransaction,
  userId: string,
  taught: SQL,
): Promise<Overview['days']> {
  return tx.execute<Overview['days'][number]>(sql`
    with reader as materialized (
      select
        time_zone,
        (now() at time zone time_zone)::date as today,
        -- A plain timestamp is taken for local time; a date would be taken for UTC's.
        ((now() at time zone time_zone)::date - ${rowCount(TREND_DAYS - 1)})::timestamp
          at time zone time_zone as since
      from public.users where id = ${userId}::uuid
    ), counted as (
      select (${quarterCounted} at time zone reader.time_zone)::date as day, counted.*
      from reader cross join ${countedSince(taught, TREND_TYPES, sql`reader.since`)}
    )
    select
      to_char(day.day, 'YYYY-MM-DD') as "day",
      coalesce(sum(count) filter (where activity_type = 'enrolled'), 0)::integer as "enrolled",
      coalesce(sum(count) filter (where activity_type = 'completed_course'), 0)::integer as "completed",
      coalesce(sum(count) filter (where activity_type = 'reviewed'), 0)::integer as "ratingCount",
      coalesce(sum(amount) filter (where activity_type = 'reviewed'), 0)::integer as "ratingSum",
      coalesce((
        select jsonb_object_agg(currency, cents)
        from (
          select currency, sum(amount) as cents from counted as paid
          where paid.day = day.day and activity_type = 'paid'
          group by currency
        ) as by_currency
      ), '{}') as "revenue"
    from reader
    cross join lateral (
      select reader.today - ago as day from generate_series(0, ${rowCount(TREND_DAYS - 1)}) as ago
    ) as day
    left join counted on counted.day = day.day
    group by day.day
    order by day.day`);
}

async function readHours(tx: UserTransaction, taught: SQL): Promise<number[]> {
  const since = sql`(date_trunc('hour', now(), 'UTC') - interval '23 hours')`;
  const rows = await tx.execute<{ count: number }>(sql`
    with counted as (
      select counted.hour, counted.count from ${countedSince(taught, ACTIVITY_TYPES, since)}
    )
    select coalesce(sum(counted.count), 0)::integer as "count"
    from generate_series(${since}, now(), interval '1 hour') as hour
    left join counted on counted.hour = hour.hour
    group by hour.hour
    order by hour.hour`);
  return rows.map(({ count }) => count);
}

/** Rows that need attention: how many there are in all, and the first of them. */
async function readAttention<Row extends Record<string, unknown>>(
  tx: UserTransaction,
  rows: SQL,
  columns: SQL,
  order: SQL,
): Promise<{ count: number; items: Row[] }> {
  return onlyRow(
    await tx.execute<{ count: number; items: Row[] }>(sql`
      with waiting as materialized (${rows} limit ${rowCount(ATTENTION_COUNT_MAX)})
      select
        (select count(*)::integer from waiting) as "count",
        coalesce((
          select jsonb_agg(${columns} order by ${order})
          from (
            select * from waiting order by ${order} limit ${rowCount(ATTENTION_ROWS)}
          ) as waiting
          join public.courses as course on course.id = waiting.course_id
          left join public.profiles as student on student.id = waiting.user_id
        ), '[]') as "items"`),
  );
}

const studentColumns = sql`
  'userId', waiting.user_id,
  'name', private.display_name(student.first_name, student.last_name),
  'avatarUrl', student.avatar_url,
  'courseSlug', course.slug,
  'courseTitle', course.title`;

function readQuestions(tx: UserTransaction, taught: SQL) {
  return readAttention<Overview['attention']['questions']['items'][number]>(
    tx,
    sql`
      select thread.id, thread.title, thread.course_id, thread.created_by as user_id, thread.created_at
      from public.discussion_threads as thread
      where thread.course_id in ${taught}
        and thread.is_active
        and thread.answer_id is null
        and not exists (
          select from public.course_instructors as staff
          where staff.course_id = thread.course_id
            and staff.user_id in (thread.last_sender_id, thread.created_by)
        )
      order by thread.created_at desc`,
    sql`jsonb_build_object(
      'threadId', waiting.id,
      'title', waiting.title,
      'courseSlug', course.slug,
      'courseTitle', course.title,
      'askedAt', private.iso_time(waiting.created_at)
    )`,
    sql`waiting.created_at`,
  );
}

function readStuck(tx: UserTransaction, taught: SQL) {
  return readAttention<Overview['attention']['stuck']['items'][number]>(
    tx,
    sql`
      select
        module.course_id, progress.user_id, progress.attempts, progress.updated_at,
        lesson.title as lesson_title
      from public.modules as module
      join public.lessons as lesson on lesson.module_id = module.id and lesson.kind = 'quiz'
      join public.lesson_progress as progress
        on progress.lesson_id = lesson.id and progress.attempts >= 3
      where module.course_id in ${taught}
        and not exists (
          select from public.lesson_completions as done
          where done.user_id = progress.user_id and done.lesson_id = lesson.id
        )
        and exists (
          select from public.enrollments as enrollment
          where enrollment.user_id = progress.user_id
            and enrollment.course_id = module.course_id
            and enrollment.status = 'active'
        )`,
    sql`jsonb_build_object(
      ${studentColumns}, 'lessonTitle', waiting.lesson_title, 'attempts', waiting.attempts
    )`,
    sql`waiting.updated_at desc, waiting.user_id`,
  );
}

/** An enrollment is touched by each lesson completed: what is untouched stands still. */
function readInactive(tx: UserTransaction, taught: SQL) {
  return readAttention<Overview['attention']['inactive']['items'][number]>(
    tx,
    sql`
      select enrollment.course_id, enrollment.user_id, enrollment.updated_at
      from public.enrollments as enrollment
      where enrollment.course_id in ${taught}
        and enrollment.status = 'active'
        and enrollment.progress > 0
        and enrollment.updated_at < now() - interval '14 days'`,
    sql`jsonb_build_object(
      ${studentColumns}, 'lastActiveAt', private.iso_time(waiting.updated_at)
    )`,
    sql`waiting.updated_at desc, waiting.user_id`,
  );
}

async function readWorkshops(tx: UserTransaction, userId: string, taught: SQL) {
  return tx.execute<Overview['attention']['workshops'][number]>(sql`
    select
      workshop.id,
      workshop.title,
      course.title as "courseTitle",
      ${isoTime(sql`workshop.starts_at`)} as "startsAt",
      ${isoTime(sql`workshop.ends_at`)} as "endsAt",
      (
        select count(*)::integer from public.workshop_registrations
        where workshop_id = workshop.id and status in ('registered', 'checked_in')
      ) as "registeredCount"
    from public.workshops as workshop
    join public.courses as course on course.id = workshop.course_id
    cross join lateral (
      select time_zone, (now() at time zone time_zone)::date as today
      from public.users where id = ${userId}::uuid
    ) as reader
    where workshop.course_id in ${taught}
      and workshop.status in ('scheduled', 'live')
      and workshop.starts_at < (reader.today + 1)::timestamp at time zone reader.time_zone
      and workshop.ends_at > reader.today::timestamp at time zone reader.time_zone
      and workshop.ends_at > now()
    order by workshop.starts_at, workshop.id
    limit ${rowCount(ATTENTION_ROWS)}`);
}
