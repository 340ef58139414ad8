import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure, userProcedure } from '../server/procedures.ts';
import {
  completeLessonInput,
  completionSchema,
  courseInput,
  courseOutput,
  reportTimeInput,
  reportTimeOutput,
  rosterFileOutput,
  rosterInput,
  rosterOutput,
  statsOutput,
  submitQuizInput,
  submitQuizOutput,
} from './contract.ts';
import {
  completeLesson,
  courseProgress,
  learningStats,
  reportTime,
  roster,
  submitQuiz,
} from './queries.ts';
import { rosterFile } from './roster-file.ts';

/** More students than this don't fit into one file. */
const FILE_ROWS_MAX = 50_000;

/** How far who is, and what brings them further. */
export const progressRouter = {
  /** How far the caller is in a course, and in each lesson that they have opened. */
  course: userProcedure
    .input(courseInput)
    .output(courseOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => courseProgress(tx, ctx.session.userId, input.courseId)),
    ),

  /** The caller's totals. */
  stats: userProcedure
    .output(statsOutput)
    .query(({ ctx }) => ctx.transaction((tx) => learningStats(tx, ctx.session.userId))),

  /** Completes a lesson for the caller, with all that follows from it. A repeat changes nothing. */
  completeLesson: userProcedure
    .input(completeLessonInput)
    .output(completionSchema)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => completeLesson(tx, input))),

  /** Hands in answers to a quiz; a passed one completes its lesson. */
  submitQuiz: userProcedure
    .input(submitQuizInput)
    .output(submitQuizOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => submitQuiz(tx, input))),

  /** Counts time in a lesson, and remembers the place in it. */
  reportTime: userProcedure
    .input(reportTimeInput)
    .output(reportTimeOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => reportTime(tx, input))),

  /** The students of a course, for its staff. */
  roster: instructorProcedure
    .input(rosterInput)
    .output(rosterOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => roster(tx, input))),

  /** The roster as a file, for its staff. */
  rosterFile: instructorProcedure
    .input(courseInput)
    .output(rosterFileOutput)
    .query(({ ctx, input: { courseId } }) =>
      ctx.transaction(async (tx) => {
        const { data } = await roster(tx, { courseId, limit: FILE_ROWS_MAX });
        return { fileName: `roster-${courseId}.csv`, csv: rosterFile(data.items) };
      }),
    ),
} satisfies TRPCRouterRecord;
