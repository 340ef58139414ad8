import * as z from 'zod';
import { personSchema } from '../identity/person-contract.ts';
import {
  lettersMax,
  titleSchema,
  lessonFieldsSchema,
  courseDetailsSchema,
  outlineModuleSchema,
  outlineSchema,
} from './fields-contract.ts';
import { CONTENT_CHANGES, LESSON_KINDS } from './kinds-contract.ts';

export {
  CONTENT_CHANGES,
  LESSON_KINDS,
  MEDIA_TYPES,
  type ContentChangeKind,
  type LessonKind,
  type MediaType,
} from './kinds-contract.ts';
export {
  type Attachment,
  type CourseDetails,
  type LessonFields,
  type OutlineModule,
  type Question,
  type Quiz,
  attachmentSchema,
  courseDetailsSchema,
  lessonFieldsSchema,
  outlineModuleSchema,
  outlineSchema,
  questionSchema,
  quizSchema,
} from './fields-contract.ts';

/** What a number is given with every save: the one that the author began from. */
const versionSchema = z.int().min(0);

/** Begins a course. */
export const createCourseInput = courseDetailsSchema.pick({ title: true, slug: true });

/** The new course. */
export const createCourseOutput = z.object({ courseId: z.guid() });

/** Names a course. */
export const courseInput = z.object({ courseId: z.guid() });

/** A lesson as the workbench lists it. */
export const workbenchLessonSchema = z.object({
  id: z.guid(),
  moduleId: z.guid(),
  title: z.string(),
  kind: z.enum(LESSON_KINDS),
  durationMinutes: z.int().min(0),
  isRequired: z.boolean(),
  isPublished: z.boolean(),
  revision: z.int().min(1),
  /** Changed since the last publication. */
  hasDraft: z.boolean(),
});

/** A course as its authors see it: what is published, with their changes over it. */
export const workbenchOutput = z.object({
  courseId: z.guid(),
  status: z.enum(['draft', 'published', 'archived']),
  /** Of the last publication; 0: never published. */
  version: versionSchema,
  publishedAt: z.iso.datetime().nullable(),
  details: courseDetailsSchema,
  detailsVersion: versionSchema,
  outline: z.array(outlineModuleSchema),
  outlineVersion: versionSchema,
  /** There is something to publish. */
  hasDraft: z.boolean(),
  lessons: z.array(workbenchLessonSchema),
});

/** A course as its authors see it. */
export type Workbench = z.infer<typeof workbenchOutput>;

/** Names a lesson. */
export const lessonInput = z.object({ lessonId: z.guid() });

/** A lesson as its authors see it. `fields` may be a draft that isn't complete yet. */
export const lessonWorkbenchOutput = z.object({
  lessonId: z.guid(),
  courseId: z.guid(),
  version: versionSchema,
  /** Up to which event of `course:<id>:staff` this is told. */
  seq: z.int().min(0),
  hasDraft: z.boolean(),
  updatedAt: z.iso.datetime(),
  /** Who saved it last; null before the first draft. */
  updatedBy: z.string().nullable(),
  fields: lessonFieldsSchema,
  /** What students see; null: nothing. */
  published: lessonFieldsSchema.nullable(),
});

/** A lesson as its authors see it. */
export type LessonWorkbench = z.infer<typeof lessonWorkbenchOutput>;

/** What `course:<id>:staff` tells of drafts, by the event's name: that there is one, not its text. */
export const draftEventSchemas = {
  'lesson.drafted': z.object({
    lessonId: z.guid(),
    version: versionSchema,
    by: personSchema.nullable(),
  }),
} as const;

/** What `course:<id>:staff` tells of drafts, by the event's name. */
export type DraftEvents = {
  [Name in keyof typeof draftEventSchemas]: z.infer<(typeof draftEventSchemas)[Name]>;
};

/** Keeps what an author has changed in the course's own texts. */
export const saveCourseInput = z.object({
  courseId: z.guid(),
  version: versionSchema,
  details: courseDetailsSchema,
});

/** Keeps how an author has arranged the course. */
export const saveOutlineInput = z.object({
  courseId: z.guid(),
  version: versionSchema,
  outline: outlineSchema,
});

/** Keeps what an author has changed in a lesson. */
export const saveLessonInput = z.object({
  lessonId: z.guid(),
  version: versionSchema,
  fields: lessonFieldsSchema,
});

/** Takes back what wasn't published of a lesson. */
export const discardLessonInput = z.object({ lessonId: z.guid(), version: versionSchema });

/** The number of the save, for the next one. */
export const savedOutput = z.object({ version: versionSchema });

/** Makes a lesson at the end of a module. */
export const createLessonInput = z.object({
  moduleId: z.guid(),
  title: titleSchema,
  kind: z.enum(LESSON_KINDS).default('text'),
});

/** The new lesson, and the outline's new number. */
export const createLessonOutput = z.object({ lessonId: z.guid(), outlineVersion: versionSchema });

/** One of the things that a publication changed. */
export const contentChangeSchema = z.object({
  kind: z.enum(CONTENT_CHANGES),
  lessonId: z.guid().optional(),
  moduleId: z.guid().optional(),
  title: z.string().optional(),
});

/** One of the things that a publication changed. */
export type ContentChange = z.infer<typeof contentChangeSchema>;

/** Publishes all that was changed. */
export const publishInput = z.object({
  courseId: z.guid(),
  /** What students are told of it. */
  note: z.string().trim().max(2000, lettersMax(2000)).default(''),
});

/** The version, and what it changed: nothing, when there was nothing to publish. */
export const publishOutput = z.object({
  version: versionSchema,
  changes: z.array(contentChangeSchema),
});

/** Takes a course out of the catalogue, or puts it back. */
export const setArchivedInput = z.object({ courseId: z.guid(), isArchived: z.boolean() });

/** How the course stands. */
export const setArchivedOutput = z.object({ status: z.enum(['published', 'archived']) });

/** A publication of a course. */
export const courseVersionSchema = z.object({
  version: z.int().min(1),
  note: z.string(),
  changes: z.array(contentChangeSchema),
  publishedAt: z.iso.datetime(),
  publishedBy: z.string().nullable(),
});

/** A publication of a course. */
export type CourseVersion = z.infer<typeof courseVersionSchema>;

/** Asks for the publications of a course, newest first; `cursor` is the last version seen. */
export const versionsInput = z.object({
  courseId: z.guid(),
  cursor: z.int().min(1).optional(),
  limit: z.int().min(1).max(100).default(20),
});

/** The publications of a course, newest first. */
export const versionsOutput = z.object({
  items: z.array(courseVersionSchema),
  nextCursor: z.int().nullable(),
});

/** Asks for the versions that changed a lesson, newest first; `cursor` is the last one seen. */
export const lessonVersionsInput = z.object({
  lessonId: z.guid(),
  cursor: versionSchema.optional(),
  limit: z.int().min(1).max(100).default(20),
});

/** The versions of a course that changed a lesson, newest first. */
export const lessonVersionsOutput = z.object({
  items: z.array(
    z.object({
      version: versionSchema,
      /** Null for what was there before the first publication. */
      publishedAt: z.iso.datetime().nullable(),
      publishedBy: z.string().nullable(),
    }),
  ),
  nextCursor: z.int().nullable(),
});

/** A version of a course that changed a lesson. */
export type LessonVersion = z.infer<typeof lessonVersionsOutput>['items'][number];

/** Names a lesson as it was in a version of its course. */
export const lessonVersionInput = z.object({ lessonId: z.guid(), version: versionSchema });

/** What a lesson taught in a version of its course. */
export const lessonVersionOutput = z.object({
  /** The version that brought it, at most the one asked for. */
  version: versionSchema,
  fields: lessonFieldsSchema,
  /** What it taught before that; null: nothing, or nothing that was kept. */
  before: lessonFieldsSchema.nullable(),
});

/** What a lesson taught in a version of its course. */
export type LessonAtVersion = z.infer<typeof lessonVersionOutput>;
