import * as z from 'zod';
import { liveOutput } from '../live/contract.ts';
import { pageInput } from '../pagination/contract.ts';
import { ACTIVITY_TYPES } from './kinds-contract.ts';

export { analyticsInput, analyticsSchema, type Analytics } from './analytics-contract.ts';

const countSchema = z.int().min(0);

/** Amounts in cents by currency: those of different currencies are never added up. */
const moneySchema = z.record(z.string(), z.int());

/** Something that a student did in a course. */
export const activitySchema = z.object({
  id: z.guid(),
  courseId: z.guid(),
  type: z.enum(ACTIVITY_TYPES),
  userId: z.guid(),
  studentName: z.string(),
  createdAt: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
});

/** Something that a student did in a course. */
export type Activity = z.infer<typeof activitySchema>;

/** Asks for what happened, newest first: in a course, or in all that the caller teaches. */
export const feedInput = pageInput.extend({ courseId: z.guid().optional() });

/** A part of a feed: of a course live on `course:<id>:staff`, of all on `user:<uid>`. */
export const feedOutput = liveOutput(
  z.object({ items: z.array(activitySchema), nextCursor: z.string().nullable() }),
);

/** A part of a feed. */
export type ActivityFeed = z.infer<typeof feedOutput>['data'];

/** The figures of a course. */
export const courseStatsSchema = z.object({
  courseId: z.guid(),
  /** Not cancelled. */
  totalEnrollments: countSchema,
  completedCount: countSchema,
  ratingCount: countSchema,
  /** All ratings added up, so that an average can follow each. */
  ratingSum: countSchema,
  averageRating: z.number().min(1).max(5).nullable(),
  /** Students who are in the course now. */
  onlineStudents: countSchema,
  revenue: moneySchema,
});

/** The figures of a course. */
export type CourseStats = z.infer<typeof courseStatsSchema>;

/** Names a course. */
export const statsInput = z.object({ courseId: z.guid() });

/** The figures of a course, live on `course:<id>:staff`. */
export const statsOutput = liveOutput(courseStatsSchema);

/** How many days the trends of the first page show, today included. */
export const TREND_DAYS = 14;

/** A day's worth of happenings, in the reader's time zone. */
const trendDaySchema = z.object({
  day: z.iso.date(),
  enrolled: countSchema,
  completed: countSchema,
  ratingCount: countSchema,
  ratingSum: countSchema,
  revenue: moneySchema,
});

/** Asks for the first page of an instructor: of all courses, or of one. */
export const overviewInput = z.object({ courseId: z.guid().optional() });

const studentSchema = z.object({
  userId: z.guid(),
  name: z.string(),
  avatarUrl: z.string().nullable(),
  courseSlug: z.string(),
  courseTitle: z.string(),
});

/** What an instructor's first page shows, the feed apart. */
export const overviewSchema = z.object({
  courses: z.array(
    z.object({
      id: z.guid(),
      slug: z.string(),
      title: z.string(),
      stats: courseStatsSchema,
    }),
  ),
  /** The last {@link TREND_DAYS} days, oldest first. */
  days: z.array(trendDaySchema),
  /** Everything that happened in each of the last 24 hours, oldest first. */
  hours: z.array(countSchema),
  attention: z.object({
    /** Threads of students in which the staff hasn't had the last word; the oldest five. */
    questions: z.object({
      count: countSchema,
      items: z.array(
        z.object({
          threadId: z.guid(),
          title: z.string(),
          courseSlug: z.string(),
          courseTitle: z.string(),
          askedAt: z.iso.datetime(),
        }),
      ),
    }),
    /** Students who have tried a quiz three times and more, and haven't passed it. */
    stuck: z.object({
      count: countSchema,
      items: z.array(studentSchema.extend({ lessonTitle: z.string(), attempts: countSchema })),
    }),
    /** Students who began, and have done nothing for two weeks. */
    inactive: z.object({
      count: countSchema,
      items: z.array(studentSchema.extend({ lastActiveAt: z.iso.datetime() })),
    }),
    /** Today, where the reader is. */
    workshops: z.array(
      z.object({
        id: z.guid(),
        title: z.string(),
        courseTitle: z.string(),
        startsAt: z.iso.datetime(),
        endsAt: z.iso.datetime(),
        registeredCount: countSchema,
      }),
    ),
  }),
});

/** What an instructor's first page shows, the feed apart. */
export type Overview = z.infer<typeof overviewSchema>;

/** The first page: of a course live on `course:<id>:staff`, of all on `user:<uid>`. */
export const overviewOutput = liveOutput(overviewSchema);

/** Asks for the payments for a course, newest first. */
export const paymentsInput = pageInput.extend({ courseId: z.guid() });

/** A payment for a course. The books outlive the person: then without a name. */
export const paymentSchema = z.object({
  id: z.guid(),
  payerName: z.string().nullable(),
  amountCents: z.int().min(0),
  currency: z.string(),
  status: z.enum(['pending', 'succeeded', 'failed', 'refunded']),
  createdAt: z.iso.datetime(),
  paidAt: z.iso.datetime().nullable(),
});

/** A payment for a course. */
export type CoursePayment = z.infer<typeof paymentSchema>;

/** A part of the payments for a course. */
export const paymentsOutput = z.object({
  items: z.array(paymentSchema),
  nextCursor: z.string().nullable(),
});

/** What `course:<id>:staff` tells of activity and figures, by the event's name. */
export const activityEventSchemas = {
  'activity.created': z.object({ activity: activitySchema.omit({ courseId: true }) }),
  /** Figures that moved without an activity; what is left out hasn't. */
  'stats.changed': z.object({
    enrolled: z.int().optional(),
    completed: z.int().optional(),
    ratingCount: z.int().optional(),
    ratingSum: z.int().optional(),
    currency: z.string().optional(),
    cents: z.int().optional(),
  }),
  'stats.online': z.object({ onlineStudents: countSchema }),
} as const;

/** What `course:<id>:staff` tells of activity and figures, by the event's name. */
export type ActivityEvents = {
  [Name in keyof typeof activityEventSchemas]: z.infer<(typeof activityEventSchemas)[Name]>;
};

/** What `user:<uid>` tells instructors, at most once in two seconds for each course. */
export const courseStatsEventSchemas = {
  'course_stats.changed': z.object({ stats: courseStatsSchema }),
} as const;
