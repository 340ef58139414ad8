/** What a student can have done in a course. Free of zod, for the browser. */
export const ACTIVITY_TYPES = [
  'enrolled',
  'registered',
  'checked_in',
  'completed_lesson',
  'completed_module',
  'completed_course',
  'reviewed',
  'paid',
  'asked',
] as const;

/** What a student can have done in a course. */
export type ActivityType = (typeof ACTIVITY_TYPES)[number];
