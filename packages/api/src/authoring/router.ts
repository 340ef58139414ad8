import type { TRPCRouterRecord } from '@trpc/server';
import { instructorProcedure, userProcedure } from '../server/procedures.ts';
import {
  courseInput,
  createCourseInput,
  createCourseOutput,
  createLessonInput,
  createLessonOutput,
  discardLessonInput,
  lessonInput,
  lessonVersionInput,
  lessonVersionOutput,
  lessonVersionsInput,
  lessonVersionsOutput,
  lessonWorkbenchOutput,
  publishInput,
  publishOutput,
  savedOutput,
  saveCourseInput,
  saveLessonInput,
  saveOutlineInput,
  setArchivedInput,
  setArchivedOutput,
  versionsInput,
  versionsOutput,
  workbenchOutput,
} from './contract.ts';
import {
  courseWorkbench,
  createCourse,
  createLesson,
  lessonAtVersion,
  lessonWorkbench,
  listLessonVersions,
  listVersions,
  publish,
  saveCourse,
  saveLesson,
  saveOutline,
  setArchived,
} from './queries.ts';

/**
 * Making courses. Saves are drafts that students don't see; `publish` shows them. Each save brings
 * the version that it began from, and is refused (DRAFT_CONFLICT) when another came before it.
 */
export const authoringRouter = {
  /** Begins a course. */
  createCourse: instructorProcedure
    .input(createCourseInput)
    .output(createCourseOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => createCourse(tx, input))),

  /** A course of the caller's, with what was changed and isn't published. */
  course: instructorProcedure
    .input(courseInput)
    .output(workbenchOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => courseWorkbench(tx, input.courseId))),

  /** A lesson of the caller's, with what was changed and isn't published. */
  lesson: instructorProcedure
    .input(lessonInput)
    .output(lessonWorkbenchOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => lessonWorkbench(tx, input.lessonId))),

  /** Keeps the course's own texts. */
  saveCourse: instructorProcedure
    .input(saveCourseInput)
    .output(savedOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => saveCourse(tx, input))),

  /** Keeps the order of modules and lessons, new modules, and what was taken out. */
  saveOutline: instructorProcedure
    .input(saveOutlineInput)
    .output(savedOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => saveOutline(tx, input))),

  /** Makes a lesson at the end of a module. */
  createLesson: instructorProcedure
    .input(createLessonInput)
    .output(createLessonOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => createLesson(tx, input))),

  /** Keeps a lesson. */
  saveLesson: instructorProcedure
    .input(saveLessonInput)
    .output(savedOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => saveLesson(tx, input))),

  /** Takes back what was changed in a lesson since it was published. */
  discardLesson: instructorProcedure
    .input(discardLessonInput)
    .output(savedOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => saveLesson(tx, { ...input, fields: null })),
    ),

  /** Shows all that was changed to the students, as one version. */
  publish: instructorProcedure
    .input(publishInput)
    .output(publishOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => publish(tx, input))),

  /** Takes a course out of the catalogue, or puts it back. Who is enrolled keeps it. */
  setArchived: instructorProcedure
    .input(setArchivedInput)
    .output(setArchivedOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => setArchived(tx, input))),

  /** What was published when, and what it changed: for all who take part in the course. */
  versions: userProcedure
    .input(versionsInput)
    .output(versionsOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listVersions(tx, input))),

  /** Which of them changed a lesson of the caller's. */
  lessonVersions: instructorProcedure
    .input(lessonVersionsInput)
    .output(lessonVersionsOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => listLessonVersions(tx, input))),

  /** What a lesson of the caller's taught in a version, also when it has been taken out since. */
  lessonVersion: instructorProcedure
    .input(lessonVersionInput)
    .output(lessonVersionOutput)
    .query(({ ctx, input }) => ctx.transaction((tx) => lessonAtVersion(tx, input))),
} satisfies TRPCRouterRecord;
