import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { Keyset } from '../pagination/contract.ts';
import type { UserTransaction } from '../server/database.ts';
import { isoTime, onlyRow, toPage } from '../server/fragments.ts';
import type {
  Completion,
  CourseProgress,
  LearningStats,
  RosterRow,
  SubmittedQuiz,
  completeLessonInput,
  reportTimeInput,
  rosterOutput,
  submitQuizInput,
} from './contract.ts';

/** How far the user is in a course. The database raises ENROLLMENT_REQUIRED. */
export async function courseProgress(
  tx: UserTransaction,
  userId: string,
  courseId: string,
): Promise<Live<CourseProgress>> {
  const topic = userTopic(userId);
  const { data, seq } = onlyRow(
    await tx.execute<{ data: CourseProgress; seq: number }>(sql`
      select public.course_progress(${courseId}::uuid) as "data", ${liveHead(topic)} as "seq"`),
  );
  return { data, cursor: { topic, seq } };
}

/** Completes a lesson and all that follows: one statement, the whole chain. */
export async function completeLesson(
  tx: UserTransaction,
  { lessonId, seconds }: z.output<typeof completeLessonInput>,
): Promise<Completion> {
  const rows = await tx.execute<{ completion: Completion }>(sql`
    select public.complete_lesson(${lessonId}::uuid, ${seconds}::integer) as "completion"`);
  return onlyRow(rows).completion;
}

/** Counts time in a lesson. */
export async function reportTime(
  tx: UserTransaction,
  { lessonId, seconds, place }: z.output<typeof reportTimeInput>,
): Promise<{ creditedSeconds: number }> {
  return onlyRow(
    await tx.execute<{ creditedSeconds: number }>(sql`
      select public.report_time(${lessonId}::uuid, ${seconds}::integer, ${place ?? null}::real)
        as "creditedSeconds"`),
  );
}

/** Hands in an attempt at a quiz. */
export async function submitQuiz(
  tx: UserTransaction,
  { lessonId, revision, answers, seconds }: z.output<typeof submitQuizInput>,
): Promise<SubmittedQuiz> {
  const rows = await tx.execute<{ submitted: SubmittedQuiz }>(sql`
    select public.submit_quiz(
      ${lessonId}::uuid,
      ${revision}::integer,
      ${JSON.stringify(answers)}::text::jsonb,
      ${seconds}::integer
    ) as "submitted"`);
  return onlyRow(rows).submitted;
}

/** The user's totals; all nought before the first lesson. */
export async function learningStats(
  tx: UserTransaction,
  userId: string,
): Promise<Live<LearningStats>> {
  const topic = userTopic(userId);
  const { seq, ...data } = onlyRow(
    await tx.execute<LearningStats & { seq: number }>(sql`
      select
        coalesce(stats.lessons_completed, 0) as "lessonsCompleted",
        coalesce(stats.courses_completed, 0) as "coursesCompleted",
        coalesce(stats.certificates_earned, 0) as "certificatesEarned",
        coalesce(stats.total_time_spent, 0) as "minutesSpent",
        stats.average_score::float8 as "averageScore",
        -- A streak that wasn't carried on yesterday has ended.
        case
          when stats.last_active_day >= (now() at time zone person.time_zone)::date - 1
            then stats.current_streak_days
          else 0
        end as "currentStreakDays",
        coalesce(stats.longest_streak_days, 0) as "longestStreakDays",
        (
          select round(coalesce(sum(tenths), 0) / 10.0, 1)::float8
          from public.point_entries
          where user_id = person.id
        ) as "points",
        ${isoTime(sql`stats.last_active_at`)} as "lastActiveAt",
        ${liveHead(topic)} as "seq"
      from public.users as person
      left join public.learning_stats as stats on stats.user_id = person.id
      where person.id = ${userId}::uuid`),
  );
  return { data, cursor: { topic, seq } };
}

/** A part of the roster of a course. The database raises COURSE_NOT_FOUND for other than its staff. */
export async function roster(
  tx: UserTransaction,
  { courseId, cursor, limit }: { courseId: string; cursor?: Keyset; limit: number },
): Promise<z.infer<typeof rosterOutput>> {
  const topic = `course:${courseId}:staff`;
  const { rows, seq } = onlyRow(
    await tx.execute<{ rows: RosterRow[]; seq: number }>(sql`
      select
        public.course_roster(
          ${courseId}::uuid,
          ${cursor?.createdAt ?? null}::timestamptz,
          ${cursor?.id ?? null}::uuid,
          ${limit + 1}::integer
        ) as "rows",
        ${liveHead(topic)} as "seq"`),
  );
  const keysetOf = ({ enrolledAt, enrollmentId }: RosterRow) => ({
    createdAt: enrolledAt,
    id: enrollmentId,
  });
  return { data: toPage(rows, limit, keysetOf), cursor: { topic, seq } };
}
