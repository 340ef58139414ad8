import * as z from 'zod';

const countSchema = z.int().min(0);

/** The longest period that is shown at once, days: two years. */
export const PERIOD_DAYS_MAX = 731;

/** Asks what happened in a course in a period: whole days in a time zone, both ends included. */
export const analyticsInput = z
  .object({
    courseId: z.guid(),
    from: z.iso.date(),
    to: z.iso.date(),
    /** As IANA names it: Europe/Stockholm. */
    timeZone: z.string().min(1).max(64),
  })
  .refine(({ from, to }) => from <= to, {
    path: ['to'],
    error: 'Lies before the beginning of the period',
  })
  .refine(({ from, to }) => Date.parse(to) - Date.parse(from) < PERIOD_DAYS_MAX * 86_400_000, {
    path: ['from'],
    error: `Lies more than ${PERIOD_DAYS_MAX} days before the end`,
  });

/** What happened in a course in a period. */
export const analyticsSchema = z.object({
  /** Every day of the period, oldest first. */
  days: z.array(z.object({ day: z.iso.date(), enrolled: countSchema, completed: countSchema })),
  /** The lessons that count, in their order. */
  funnel: z.array(
    z.object({
      lessonId: z.guid(),
      title: z.string(),
      moduleTitle: z.string(),
      kind: z.enum(['text', 'video', 'quiz']),
      /** Students who finished it in the period. */
      completed: countSchema,
      /** Students for whom it was the last one they finished, of those who haven't finished the course. */
      stopped: countSchema,
      /** The median time that it took them, s; null where nobody finished it. */
      medianSeconds: z.number().min(0).nullable(),
      /** What its author says it takes. */
      expectedSeconds: countSchema,
    }),
  ),
  /** How many gave one star, two, … five. */
  ratings: z.array(z.object({ rating: z.int().min(1).max(5), count: countSchema })),
  quizzes: z.array(
    z.object({
      lessonId: z.guid(),
      title: z.string(),
      attempts: countSchema,
      students: countSchema,
      passed: countSchema,
      /** Of all attempts, 0–100. */
      averageScore: z.number().min(0).max(100),
    }),
  ),
  /** Everything that students did, by the hour of the day, 0–23. */
  hours: z.array(z.object({ hour: z.int().min(0).max(23), count: countSchema })),
});

/** What happened in a course in a period. */
export type Analytics = z.infer<typeof analyticsSchema>;
