import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure, publicProcedure, userProcedure } from '../server/procedures.ts';
import {
  contentInput,
  contentOutput,
  courseInput,
  courseOutput,
  lessonInput,
  lessonOutput,
  listInput,
  listOutput,
  teachingInput,
  teachingOutput,
} from './contract.ts';
import {
  courseContent,
  findCourse,
  findLesson,
  listCourses,
  listTaughtCourses,
} from './queries.ts';

/** What can be learned here. */
export const catalogRouter = {
  /** The courses that are published, newest first. For everybody, also without an account. */
  list: publicProcedure
    .input(listInput)
    .output(listOutput)
    .query(({ ctx, input }) => ctx.asUser(ctx.session, 'read', (tx) => listCourses(tx, input))),

  /** A course with its modules and lessons: a published one for everybody. */
  course: publicProcedure
    .input(courseInput)
    .output(courseOutput)
    .query(({ ctx, input }) => ctx.asUser(ctx.session, 'read', (tx) => findCourse(tx, input))),

  /** What a course consists of, for those who take part in it. */
  content: userProcedure
    .input(contentInput)
    .output(contentOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => courseContent(tx, input.courseId))),

  /** What a lesson teaches, and how far the caller is in it. */
  lesson: userProcedure
    .input(lessonInput)
    .output(lessonOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => findLesson(tx, input.lessonId))),

  /** The courses that the caller teaches, newest first. */
  teaching: instructorProcedure
    .input(teachingInput)
    .output(teachingOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => listTaughtCourses(tx, ctx.session.userId, input)),
    ),
} satisfies TRPCRouterRecord;
