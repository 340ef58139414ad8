import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure, userProcedure } from '../server/procedures.ts';
import {
  listInput,
  listOutput,
  removeInput,
  removeOutput,
  replyInput,
  replyOutput,
  writeInput,
  writeOutput,
} from './contract.ts';
import { listReviews, removeReview, replyToReview, writeReview } from './queries.ts';

/** What students think of courses: one review each. */
export const reviewsRouter = {
  /** Newest first, with what all of them come to. */
  list: userProcedure
    .input(listInput)
    .output(listOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listReviews(tx, ctx.session.userId, input))),

  /** Writes the caller's review, or changes it; the same again changes nothing. */
  write: userProcedure
    .input(writeInput)
    .output(writeOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => writeReview(tx, ctx.session.userId, input)),
    ),

  /** Takes the caller's review back. */
  remove: userProcedure
    .input(removeInput)
    .output(removeOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => removeReview(tx, ctx.session.userId, input.courseId)),
    ),

  /** Replies for the course's staff; an empty reply takes it back. */
  reply: instructorProcedure
    .input(replyInput)
    .output(replyOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => replyToReview(tx, input.reviewId, input.reply)),
    ),
} satisfies TRPCRouterRecord;
