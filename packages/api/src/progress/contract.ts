import * as z from 'zod';
import { certificateSchema } from '../certificates/contract.ts';
import { achievementSchema } from '../achievements/contract.ts';
import { liveOutput } from '../live/contract.ts';
import { pageInput } from '../pagination/contract.ts';

const percentSchema = z.number().min(0).max(100);
const countSchema = z.int().min(0);

/** How an enrollment stands. */
export const enrollmentStatusSchema = z.enum(['active', 'completed', 'cancelled']);

/**
 * How far a student is in a course, with the reason: of the `requiredCount` lessons that count in
 * version `courseVersion`, `doneCount` are done. The percentage is for showing; nothing is decided
 * by it.
 */
export const courseCountSchema = z.object({
  /** The newest version; from the moment of completion on, the one that was completed. */
  courseVersion: countSchema,
  status: enrollmentStatusSchema,
  doneCount: countSchema,
  requiredCount: countSchema,
  progressPercent: percentSchema,
  completedAt: z.iso.datetime().nullable(),
});

/** How far a student is in a course, with the reason. */
export type CourseCount = z.infer<typeof courseCountSchema>;

/** A student's own state in a lesson; those that they never did or tried are left out of lists. */
export const lessonStateSchema = z.object({
  lessonId: z.guid(),
  completedAt: z.iso.datetime().nullable(),
  attempts: countSchema,
  /** 0–100, of all attempts; null where there is none. */
  bestScore: percentSchema.nullable(),
});

/** A student's own state in a lesson. */
export type LessonState = z.infer<typeof lessonStateSchema>;

/** Names a course. */
export const courseInput = z.object({ courseId: z.guid() });

/**
 * Everything that events tell of how far the student is in a course. Titles and order are
 * `catalog.content`'s; place and time in a lesson, `catalog.lesson`'s. Lists are in the order of ids.
 */
export const courseProgressSchema = courseCountSchema.extend({
  courseId: z.guid(),
  enrolledAt: z.iso.datetime(),
  lessons: z.array(lessonStateSchema),
  completedModuleIds: z.array(z.guid()),
  certificate: certificateSchema.nullable(),
});

/** Everything about how far the student is in a course. */
export type CourseProgress = z.infer<typeof courseProgressSchema>;

/** A student's progress in a course, live on `user:<uid>`. */
export const courseOutput = liveOutput(courseProgressSchema);

/** The most that one report can claim, s: a tab reports every half minute. */
export const REPORT_SECONDS_MAX = 300;

const secondsSchema = z.int().min(0).max(REPORT_SECONDS_MAX);

/** Completes a lesson; `seconds` is the time in it that wasn't reported yet. */
export const completeLessonInput = z.object({
  lessonId: z.guid(),
  seconds: secondsSchema.default(0),
});

/** What a completion has brought. A repeat brings nothing (`isNew` is false, `points` 0). */
export const completionSchema = z.object({
  courseId: z.guid(),
  moduleId: z.guid(),
  lessonId: z.guid(),
  completedAt: z.iso.datetime(),
  progress: courseCountSchema,
  isNew: z.boolean(),
  isModuleCompleted: z.boolean(),
  isCourseCompleted: z.boolean(),
  /** Issued by this call; null otherwise. */
  certificate: certificateSchema.nullable(),
  achievements: z.array(achievementSchema),
  /** With one digit behind the point. */
  points: z.number(),
});

/** What a completion has brought. */
export type Completion = z.infer<typeof completionSchema>;

/** Reports time in a lesson (visible tab only), and the place in it. */
export const reportTimeInput = z.object({
  lessonId: z.guid(),
  seconds: secondsSchema,
  place: z.number().min(0).max(1).optional(),
});

/** What was credited: never more than went by since the student's last report, in any tab. */
export const reportTimeOutput = z.object({ creditedSeconds: countSchema });

/** An answer: ids of choices, or a text. */
const answerSchema = z.union([z.array(z.string().max(100)).max(20), z.string().max(1000)]);

/** By the question's id. */
const answersSchema = z
  .record(z.string().max(100), answerSchema)
  .refine((answers) => Object.keys(answers).length <= 100, { error: 'More than 100 answers' });

/** Hands in answers. `revision` is that of the lesson as it was shown; an older one is refused. */
export const submitQuizInput = z.object({
  lessonId: z.guid(),
  revision: z.int().min(1),
  answers: answersSchema,
  seconds: secondsSchema.default(0),
});

/** An attempt at a quiz. */
export const attemptSchema = z.object({
  number: z.int().min(1),
  revision: z.int().min(1),
  answers: z.record(z.string(), answerSchema),
  /** By the question's id: whether it was answered right. */
  results: z.record(z.string(), z.boolean()),
  score: percentSchema,
  isPassed: z.boolean(),
  submittedAt: z.iso.datetime(),
});

/** An attempt at a quiz. */
export type QuizAttempt = z.infer<typeof attemptSchema>;

/** A question as a student sees it: answers and explanation only once they may see them. */
export const askedQuestionSchema = z.object({
  id: z.string(),
  kind: z.enum(['single', 'multiple', 'short']),
  prompt: z.string(),
  points: z.int().min(1),
  choices: z.array(z.object({ id: z.string(), text: z.string() })).optional(),
  correct: z.array(z.string()).optional(),
  accepted: z.array(z.string()).optional(),
  explanation: z.string().optional(),
});

/** A question as a student sees it. */
export type AskedQuestion = z.infer<typeof askedQuestionSchema>;

/** A quiz as a student sees it. */
export const askedQuizSchema = z.object({
  passPercent: percentSchema,
  attemptsMax: z.int().min(1).nullable(),
  questions: z.array(askedQuestionSchema),
});

/** A quiz as a student sees it. */
export type AskedQuiz = z.infer<typeof askedQuizSchema>;

/** What an attempt came to. A passed one completes the lesson: then `completion` says the rest. */
export const submitQuizOutput = z.object({
  attempt: attemptSchema,
  bestScore: percentSchema,
  /** Null: as many as one likes. */
  attemptsLeft: countSchema.nullable(),
  quiz: askedQuizSchema,
  completion: completionSchema.nullable(),
});

/** What an attempt came to. */
export type SubmittedQuiz = z.infer<typeof submitQuizOutput>;

/** A student's totals. */
export const statsSchema = z.object({
  lessonsCompleted: countSchema,
  coursesCompleted: countSchema,
  certificatesEarned: countSchema,
  minutesSpent: countSchema,
  averageScore: percentSchema.nullable(),
  currentStreakDays: countSchema,
  longestStreakDays: countSchema,
  points: z.number(),
  lastActiveAt: z.iso.datetime().nullable(),
});

/** A student's totals. */
export type LearningStats = z.infer<typeof statsSchema>;

/** A student's totals, live on `user:<uid>`. */
export const statsOutput = liveOutput(statsSchema);

/** Asks for the students of a course, the newest enrollment first. */
export const rosterInput = pageInput.extend({ courseId: z.guid() });

/** How a student does in the quizzes of a course that they have tried. */
const scoresSchema = z.object({
  /** Of the best scores. */
  averageScore: percentSchema.nullable(),
  quizzes: z.array(
    z.object({
      lessonId: z.guid(),
      title: z.string(),
      bestScore: percentSchema,
      attempts: countSchema,
    }),
  ),
});

/** A student, as the staff of a course see them in its roster. */
export const rosterRowSchema = courseCountSchema.omit({ courseVersion: true }).extend({
  enrollmentId: z.guid(),
  userId: z.guid(),
  name: z.string(),
  avatarUrl: z.string().nullable(),
  enrolledAt: z.iso.datetime(),
  lastActiveAt: z.iso.datetime().nullable(),
  /** As it was when this was loaded: no event tells of time. */
  timeSpentSeconds: countSchema,
  certificate: certificateSchema.nullable(),
  ...scoresSchema.shape,
});

/** A student, as the staff of a course see them in its roster. */
export type RosterRow = z.infer<typeof rosterRowSchema>;

/** The students of a course, live on `course:<id>:staff`. */
export const rosterOutput = liveOutput(
  z.object({ items: z.array(rosterRowSchema), nextCursor: z.string().nullable() }),
);

/** The roster as a file: RFC 4180, UTF-8, with a first line of names. */
export const rosterFileOutput = z.object({ fileName: z.string(), csv: z.string() });

/** What `user:<uid>` tells about progress, by the event's name. */
export const progressEventSchemas = {
  'lesson.completed': z.object({
    courseId: z.guid(),
    moduleId: z.guid(),
    lessonId: z.guid(),
    completedAt: z.iso.datetime(),
    progress: courseCountSchema,
    isModuleCompleted: z.boolean(),
    certificate: certificateSchema.nullable(),
    points: z.number(),
  }),
  'quiz.submitted': z.object({
    courseId: z.guid(),
    lessonId: z.guid(),
    attempts: z.int().min(1),
    bestScore: percentSchema,
    score: percentSchema,
    isPassed: z.boolean(),
  }),
  /** Other lessons count than before: a version was published. */
  'progress.reevaluated': courseCountSchema.extend({
    courseId: z.guid(),
    /** Modules that are done by it. */
    completedModuleIds: z.array(z.guid()),
  }),
} as const;

/** What `user:<uid>` tells about progress, by the event's name. */
export type ProgressEvents = {
  [Name in keyof typeof progressEventSchemas]: z.infer<(typeof progressEventSchemas)[Name]>;
};

const rosterCertificateSchema = z.object({ userId: z.guid(), certificate: certificateSchema });

/** What `course:<id>:staff` tells about progress, by the event's name. */
export const rosterEventSchemas = {
  'progress.changed': courseCountSchema.extend({
    userId: z.guid(),
    studentName: z.string(),
    lastActiveAt: z.iso.datetime(),
  }),
  'scores.changed': scoresSchema.extend({ userId: z.guid() }),
  'certificate.issued': rosterCertificateSchema,
  'certificate.revoked': rosterCertificateSchema,
  /** Somebody has left the course, or is in it again. */
  'enrollment.changed': z.object({ userId: z.guid(), isEnrolled: z.boolean() }),
  /** Other lessons count than before: whoever hasn't finished is counted anew. */
  'roster.reevaluated': z.object({}),
} as const;

/** What `course:<id>:staff` tells about progress, by the event's name. */
export type RosterEvents = {
  [Name in keyof typeof rosterEventSchemas]: z.infer<(typeof rosterEventSchemas)[Name]>;
};
