import { sql } from 'drizzle-orm';
import type * as z from 'zod';
import type { Live } from '../live/contract.ts';
import { liveHead } from '../live/queries.ts';
import type { UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import { isAfter, isoTime, onlyRow, rowCount, toPage } from '../server/fragments.ts';
import type { listInput, Review, ReviewList, writeInput } from './contract.ts';

/** The columns of `review` as the API shows them. */
const columns = sql`
  review.id,
  private.person_json(review.user_id) as "author",
  review.rating,
  review.comment,
  ${isoTime(sql`review.created_at`)} as "createdAt",
  review.reply,
  ${isoTime(sql`review.replied_at`)} as "repliedAt"`;

/** A part of the reviews of a course that the reader sees, and what all of them come to. */
export async function listReviews(
  tx: UserTransaction,
  userId: string,
  { courseId, cursor, limit }: z.output<typeof listInput>,
): Promise<Live<ReviewList>> {
  const topic = `course:${courseId}`;
  const [rows, own, totals] = await Promise.all([
    tx.execute<Review>(sql`
      select ${columns}
      from public.course_reviews as review
      where review.course_id = ${courseId}::uuid
        and ${isAfter(cursor, sql`review.created_at`, sql`review.id`)}
      order by review.created_at desc, review.id desc
      limit ${rowCount(limit + 1)}`),
    tx.execute<Review>(sql`
      select ${columns}
      from public.course_reviews as review
      where review.course_id = ${courseId}::uuid and review.user_id = ${userId}::uuid`),
    tx.execute<Pick<ReviewList, 'count' | 'average' | 'canReview'> & { seq: number }>(sql`
      select
        count(*)::integer as "count",
        round(avg(rating), 2)::float8 as "average",
        exists (
          select from public.enrollments as enrollment
          where enrollment.user_id = ${userId}::uuid
            and enrollment.course_id = ${courseId}::uuid
            and enrollment.status <> 'cancelled'
        ) as "canReview",
        ${liveHead(topic)} as "seq"
      from public.course_reviews
      where course_id = ${courseId}::uuid`),
  ]);
  const { seq, ...facts } = onlyRow(totals);
  const data = { ...toPage(rows, limit, (row) => row), ...facts, own: own[0] ?? null };
  return { data, cursor: { topic, seq } };
}

/** Writes the user's review, or changes it. Row level security refuses who isn't enrolled. */
export async function writeReview(
  tx: UserTransaction,
  userId: string,
  { courseId, rating, comment }: z.output<typeof writeInput>,
): Promise<{ id: string }> {
  const enrolled = await tx.execute(sql`
    select 1 from public.enrollments
    where user_id = ${userId}::uuid and course_id = ${courseId}::uuid and status <> 'cancelled'`);
  if (enrolled.length === 0) throw new ApiError('ENROLLMENT_REQUIRED');
  return onlyRow(
    await tx.execute<{ id: string }>(sql`
      insert into public.course_reviews (user_id, course_id, rating, comment)
      values (${userId}::uuid, ${courseId}::uuid, ${rating}::smallint, ${comment})
      on conflict (user_id, course_id) do update
      set rating = excluded.rating, comment = excluded.comment
      returning id`),
  );
}

/** Takes the user's review back. */
export async function removeReview(
  tx: UserTransaction,
  userId: string,
  courseId: string,
): Promise<{ isRemoved: boolean }> {
  const removed = await tx.execute(sql`
    delete from public.course_reviews
    where user_id = ${userId}::uuid and course_id = ${courseId}::uuid
    returning id`);
  return { isRemoved: removed.length > 0 };
}

/** Replies to a review in a course that the user teaches. */
export async function replyToReview(
  tx: UserTransaction,
  reviewId: string,
  reply: string,
): Promise<{ reviewId: string }> {
  const { isFound } = onlyRow(
    await tx.execute<{ isFound: boolean }>(
      sql`select public.reply_to_review(${reviewId}::uuid, ${reply}) as "isFound"`,
    ),
  );
  if (!isFound) throw new ApiError('REVIEW_NOT_FOUND');
  return { reviewId };
}
