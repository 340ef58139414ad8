import * as z from 'zod';
import { liveOutput } from '../live/contract.ts';
import { pageInput } from '../pagination/contract.ts';

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

/** A course with its modules and lessons, in their order. */
export const courseOutput = courseSummarySchema.extend({
  description: z.string(),
  modules: z.array(
    z.object({
      id: z.guid(),
      title: z.string(),
      lessons: z.array(
        z.object({ id: z.guid(), title: z.string(), durationMinutes: z.int().min(0) }),
      ),
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
