/** What a notification can be about. Free of zod, for the browser. */
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

/** What a notification is about. */
export type NotificationType = (typeof NOTIFICATION_TYPES)[number];

/** How much a notification matters, mildest first. Free of zod, for the browser. */
export const NOTIFICATION_LEVELS = ['info', 'success', 'warning', 'error'] as const;

/** How much a notification matters. */
export type NotificationLevel = (typeof NOTIFICATION_LEVELS)[number];

/** Where a notification reaches someone. Free of zod, for the browser. */
export const NOTIFICATION_CHANNELS = ['app', 'email'] as const;

/** Where a notification reaches someone: in the portals, or in the digest by e-mail. */
export type NotificationChannel = (typeof NOTIFICATION_CHANNELS)[number];

/** Where a notification can be. Free of zod, for the browser. */
export const NOTIFICATION_BOXES = ['inbox', 'snoozed', 'archived'] as const;

/** Where a notification is: in one box at a time. */
export type NotificationBox = (typeof NOTIFICATION_BOXES)[number];
