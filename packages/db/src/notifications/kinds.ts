/** What a notification is about. The first five go to the instructors of a course. */
export const NOTIFICATION_TYPES = [
  'enrollment',
  'workshop_registration',
  'course_completion',
  'review',
  'payment',
  'lesson_completion',
  'certificate',
  'achievement',
  'subscription',
  'announcement',
  'message',
  'mention',
  'workshop',
  'system',
] as const;

/** How much a notification matters, mildest first. */
export const NOTIFICATION_LEVELS = ['info', 'success', 'warning', 'error'] as const;

/** Where a notification reaches someone: in the portals, or in the digest by e-mail. */
export const NOTIFICATION_CHANNELS = ['app', 'email'] as const;

/** Where a notification can be. */
export const NOTIFICATION_BOXES = ['inbox', 'snoozed', 'archived'] as const;
