import * as z from 'zod';
import { personSchema } from '../identity/person-contract.ts';
import { liveOutput } from '../live/contract.ts';
import { pageInput } from '../pagination/contract.ts';

const countSchema = z.int().min(0);
const ratingSchema = z.int().min(1).max(5);

/** What a student thinks of a course, and what its staff answers. */
export const reviewSchema = z.object({
  id: z.guid(),
  author: personSchema,
  rating: ratingSchema,
  comment: z.string(),
  createdAt: z.iso.datetime(),
  reply: z.string(),
  repliedAt: z.iso.datetime().nullable(),
});

/** What a student thinks of a course, and what its staff answers. */
export type Review = z.infer<typeof reviewSchema>;

/** Asks for the reviews of a course, newest first. */
export const listInput = pageInput.extend({ courseId: z.guid() });

/** The reviews of a course, with what they come to. */
export const reviewListSchema = z.object({
  items: z.array(reviewSchema),
  nextCursor: z.string().nullable(),
  count: countSchema,
  average: z.number().min(1).max(5).nullable(),
  /** The caller's own, whatever page it is on. */
  own: reviewSchema.nullable(),
  /** Whether the caller may write one. */
  canReview: z.boolean(),
});

/** The reviews of a course, with what they come to. */
export type ReviewList = z.infer<typeof reviewListSchema>;

/** The reviews of a course, live on `course:<id>` for those who take part in it. */
export const listOutput = liveOutput(reviewListSchema);

/** Writes the caller's review of a course, or changes it. */
export const writeInput = z.object({
  courseId: z.guid(),
  rating: ratingSchema,
  comment: z.string().trim().max(5000),
});

/** The caller's review, as it is now. */
export const writeOutput = z.object({ id: z.guid() });

/** Names a course. */
export const removeInput = z.object({ courseId: z.guid() });

/** Whether there was one. */
export const removeOutput = z.object({ isRemoved: z.boolean() });

/** Replies to a review; an empty reply takes the one that is there back. */
export const replyInput = z.object({ reviewId: z.guid(), reply: z.string().trim().max(5000) });

/** What was replied to. */
export const replyOutput = z.object({ reviewId: z.guid() });
