import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import { instructorsOfCourse } from '../catalog/queries.ts';
import type { Live } from '../live/contract.ts';
import { liveHead, userTopic } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, isoTime, rowCount, toPage } from '../server/fragments.ts';
import type { Enrolled, Enrollment, mineInput, mineOutput } from './contract.ts';

/** Enrolls the user in a published course; gives the enrollment that there is, if there is one. */
export async function enroll(
  tx: UserTransaction,
  userId: string,
  courseId: string,
): Promise<Enrolled> {
  const columns = sql`
    enrollment.course_id as "courseId",
    enrollment.status,
    ${isoTime(sql`enrollment.enrolled_at`)} as "enrolledAt"`;
  const [created] = await tx.execute<Omit<Enrolled, 'isNew'>>(sql`
    insert into public.enrollments as enrollment (user_id, course_id)
    select ${userId}::uuid, course.id
    from public.courses as course
    where course.id = ${courseId}::uuid
      and course.status = 'published'
      and course.price_cents = 0
    on conflict (user_id, course_id) do nothing
    returning ${columns}`);
  if (created) return { ...created, isNew: true };
  // A statement of its own: another call may have committed after the first one began.
  const [existing] = await tx.execute<Omit<Enrolled, 'isNew'>>(sql`
    select ${columns}
    from public.enrollments as enrollment
    where enrollment.user_id = ${userId}::uuid and enrollment.course_id = ${courseId}::uuid`);
  if (existing) return { ...existing, isNew: false };
  throw await whyNotEnrolled(tx, courseId);
}

/** Why a course took no enrollment: it has a price, or it isn't there for the user. */
async function whyNotEnrolled(tx: UserTransaction, courseId: string): Promise<ApiError> {
  const [course] = await tx.execute(sql`
    select course.id
    from public.courses as course
    where course.id = ${courseId}::uuid and course.status = 'published'`);
  return new ApiError(course ? 'PAYMENT_REQUIRED' : 'COURSE_NOT_FOUND');
}

/** The user's enrollments, newest first. */
export async function listEnrollments(
  tx: UserTransaction,
  userId: string,
  { cursor, limit }: z.output<typeof mineInput>,
): Promise<Live<z.infer<typeof mineOutput>['data']>> {
  const topic = userTopic(userId);
  const [rows, [head]] = await Promise.all([
    tx.execute<Enrollment>(sql`
      select
        enrollment.id,
        course.id as "courseId",
        course.slug,
        course.title,
        course.summary,
        course.cover_url as "coverUrl",
        ${instructorsOfCourse} as "instructors",
        enrollment.status,
        enrollment.progress::float8 as "progressPercent",
        ${isoTime(sql`enrollment.enrolled_at`)} as "enrolledAt",
        ${isoTime(sql`enrollment.completed_at`)} as "completedAt"
      from public.enrollments as enrollment
      join public.courses as course on course.id = enrollment.course_id
      where enrollment.user_id = ${userId}::uuid
        and ${isAfter(cursor, sql`enrollment.enrolled_at`, sql`enrollment.id`)}
      order by enrollment.enrolled_at desc, enrollment.id desc
      limit ${rowCount(limit + 1)}`),
    tx.execute<{ seq: number }>(sql`select ${liveHead(topic)} as "seq"`),
  ]);
  if (!head) throw new Error('A select without from gave no row');
  const keysetOf = ({ enrolledAt, id }: Enrollment) => ({ createdAt: enrolledAt, id });
  return { data: toPage(rows, limit, keysetOf), cursor: { topic, seq: head.seq } };
}
