import * as z from 'zod';
import { courseInstructorSchema } from '../catalog/contract.ts';
import { liveOutput } from '../live/contract.ts';
import { pageInput } from '../pagination/contract.ts';

/** Names the course to enroll in. */
export const enrollInput = z.object({ courseId: z.guid() });

/** How an enrollment stands. */
const statusSchema = z.enum(['active', 'completed', 'cancelled']);

/** The enrollment; the same one, with `isNew` false, when there was one already. */
export const enrollOutput = z.object({
  courseId: z.guid(),
  status: statusSchema,
  enrolledAt: z.iso.datetime(),
  isNew: z.boolean(),
});

/** The enrollment; the same one, with `isNew` false, when there was one already. */
export type Enrolled = z.infer<typeof enrollOutput>;

/** A course that the user is enrolled in, and how far they are. */
export const enrollmentSchema = z.object({
  id: z.guid(),
  courseId: z.guid(),
  slug: z.string(),
  title: z.string(),
  summary: z.string(),
  coverUrl: z.string().nullable(),
  instructors: z.array(courseInstructorSchema),
  status: statusSchema,
  /** 0–100. */
  progressPercent: z.number().min(0).max(100),
  enrolledAt: z.iso.datetime(),
  completedAt: z.iso.datetime().nullable(),
});

/** A course that the user is enrolled in, and how far they are. */
export type Enrollment = z.infer<typeof enrollmentSchema>;

/** Asks for the user's enrollments, newest first. */
export const mineInput = pageInput;

/** The user's enrollments, newest first, live on `user:<uid>`. */
export const mineOutput = liveOutput(
  z.object({ items: z.array(enrollmentSchema), nextCursor: z.string().nullable() }),
);

/** The user's enrollments, newest first. */
export type EnrollmentList = z.infer<typeof mineOutput>['data'];

/** What a student's own topic tells about enrollment, by the event's name. */
export const enrollmentEventSchemas = {
  'enrollment.created': z.object({
    courseId: z.guid(),
    courseTitle: z.string(),
    enrolledAt: z.iso.datetime(),
  }),
} as const;

/** What a student's own topic tells about enrollment, by the event's name. */
export type EnrollmentEvents = {
  [Name in keyof typeof enrollmentEventSchemas]: z.infer<(typeof enrollmentEventSchemas)[Name]>;
};
