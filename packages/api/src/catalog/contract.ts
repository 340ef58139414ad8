import * as z from 'zod';
import { attachmentSchema, contentChangeSchema } from '../authoring/contract.ts';
import { LESSON_KINDS } from '../authoring/kinds-contract.ts';
import { liveOutput } from '../live/contract.ts';
import { pageInput } from '../pagination/contract.ts';
import { askedQuizSchema, attemptSchema } from '../progress/contract.ts';

/** Someone who teaches a course, as everybody may see them. */
export const courseInstructorSchema = z.object({
  id: z.guid(),
  name: z.string(),
  avatarUrl: z.string().nullable(),
});

/** Someone who teaches a course, as everybody may see them. */
export type CourseInstructor = z.infer<typeof courseInstructorSchema>;

/** A course, as a card shows it. */
export const courseSummarySchema = z.object({
  id: z.guid(),
  slug: z.string(),
  title: z.string(),
  summary: z.string(),
  coverUrl: z.string().nullable(),
  level: z.enum(['beginner', 'intermediate', 'advanced']),
  category: z.string(),
  /** 0 is free; else in hundredths of `currency`, which is an ISO 4217 code. */
  priceCents: z.int().min(0),
  currency: z.string(),
  lessonCount: z.int().min(0),
  /** Minutes of all lessons together. */
  durationMinutes: z.int().min(0),
  instructors: z.array(courseInstructorSchema),
  /** Whether the one who asks is enrolled. */
  isEnrolled: z.boolean(),
  createdAt: z.iso.datetime(),
});

/** A course, as a card shows it. */
export type CourseSummary = z.infer<typeof courseSummarySchema>;

/** Asks for the courses that are published, newest first. */
export const listInput = pageInput;

/** The courses that are published, newest first. */
export const listOutput = z.object({
  items: z.array(courseSummarySchema),
  nextCursor: z.string().nullable(),
});

/** Names one course, by its id or by the slug of its address. */
export const courseInput = z.union(
  [z.object({ courseId: z.guid() }), z.object({ slug: z.string().min(1).max(200) })],
  { error: 'Names no course: give courseId or slug' },
);

/** Names one course, by its id or by the slug of its address. */
export type CourseInput = z.infer<typeof courseInput>;

/** A lesson in an outline: what everybody may know of it. */
export const outlineLessonSchema = z.object({
  id: z.guid(),
  title: z.string(),
  kind: z.enum(LESSON_KINDS),
  durationMinutes: z.int().min(0),
  /** Whether it counts for finishing the course. */
  isRequired: z.boolean(),
  /** Goes up when what the lesson teaches changes. */
  revision: z.int().min(1),
});

/** A lesson in an outline. */
export type OutlineLesson = z.infer<typeof outlineLessonSchema>;

/** A course with its modules and lessons, in their order. */
export const courseOutput = courseSummarySchema.extend({
  description: z.string(),
  /** Of the last publication. */
  version: z.int().min(0),
  modules: z.array(
    z.object({
      id: z.guid(),
      title: z.string(),
      summary: z.string(),
      lessons: z.array(outlineLessonSchema),
    }),
  ),
});

/** A course with its modules and lessons, in their order. */
export type Course = z.infer<typeof courseOutput>;

/** A course, as those who teach it see it in their list. */
export const taughtCourseSchema = z.object({
  id: z.guid(),
  slug: z.string(),
  title: z.string(),
  summary: z.string(),
  coverUrl: z.string().nullable(),
  status: z.enum(['draft', 'published', 'archived']),
  studentCount: z.int().min(0),
  completedCount: z.int().min(0),
  createdAt: z.iso.datetime(),
});

/** A course, as those who teach it see it in their list. */
export type TaughtCourse = z.infer<typeof taughtCourseSchema>;

/** Asks for the courses that one teaches, newest first. */
export const teachingInput = pageInput;

/** The courses that one teaches, newest first, live on `user:<uid>`. */
export const teachingOutput = liveOutput(
  z.object({ items: z.array(taughtCourseSchema), nextCursor: z.string().nullable() }),
);

/** The courses that one teaches, newest first. */
export type TaughtCourses = z.infer<typeof teachingOutput>['data'];

/** A module of a course, with its lessons in their order. */
export const contentModuleSchema = z.object({
  id: z.guid(),
  title: z.string(),
  summary: z.string(),
  lessonIds: z.array(z.guid()),
});

/** A lesson of a course, as its outline shows it. */
export const contentLessonSchema = outlineLessonSchema.extend({ moduleId: z.guid() });

/** A lesson of a course, as its outline shows it. */
export type ContentLesson = z.infer<typeof contentLessonSchema>;

/** What a course consists of, for those who take part in it. */
export const courseContentSchema = z.object({
  courseId: z.guid(),
  version: z.int().min(0),
  title: z.string(),
  modules: z.array(contentModuleSchema),
  /** In no order: the modules have it. */
  lessons: z.array(contentLessonSchema),
});

/** What a course consists of, for those who take part in it. */
export type CourseContent = z.infer<typeof courseContentSchema>;

/** Names a course, by its id. */
export const contentInput = z.object({ courseId: z.guid() });

/** What a course consists of, live on `course:<id>`. */
export const contentOutput = liveOutput(courseContentSchema);

/** Names a lesson. */
export const lessonInput = z.object({ lessonId: z.guid() });

/** A lesson, for those who take part in its course, with how far the caller is in it. */
export const lessonSchema = contentLessonSchema.extend({
  courseId: z.guid(),
  /** Markdown as it was written: render and sanitise it on the server. */
  content: z.string(),
  videoUrl: z.string().nullable(),
  captionsUrl: z.string().nullable(),
  attachments: z.array(attachmentSchema),
  /** Without answers, until the caller has passed or has no attempt left. */
  quiz: askedQuizSchema.nullable(),
  completedAt: z.iso.datetime().nullable(),
  place: z.number().min(0).max(1),
  timeSpentSeconds: z.int().min(0),
  bestScore: z.number().min(0).max(100).nullable(),
  /** Null: as many as one likes, or no quiz. */
  attemptsLeft: z.int().min(0).nullable(),
  attempts: z.array(attemptSchema),
});

/** A lesson, for those who take part in its course. */
export type Lesson = z.infer<typeof lessonSchema>;

/** A lesson; the cursor is of `course:<id>`, where `content.published` names changed lessons. */
export const lessonOutput = liveOutput(lessonSchema);

/** What `course:<id>` tells about content, by the event's name. */
export const contentEventSchemas = {
  'content.published': z.object({
    courseId: z.guid(),
    version: z.int().min(1),
    title: z.string(),
    note: z.string(),
    changes: z.array(contentChangeSchema),
    publishedAt: z.iso.datetime(),
    /** The whole outline, when it is another; null when it isn't. */
    modules: z.array(contentModuleSchema).nullable(),
    /** Lessons that are new or another; null: too many for an event, load the content. */
    lessons: z.array(contentLessonSchema).nullable(),
  }),
} as const;

/** What `course:<id>` tells about content, by the event's name. */
export type ContentEvents = {
  [Name in keyof typeof contentEventSchemas]: z.infer<(typeof contentEventSchemas)[Name]>;
};
