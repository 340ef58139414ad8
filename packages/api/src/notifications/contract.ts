import * as z from 'zod';
import { liveOutput } from '../live/contract.ts';
import { keysetSchema, pageInput } from '../pagination/contract.ts';
import {
  NOTIFICATION_BOXES,
  NOTIFICATION_CHANNELS,
  NOTIFICATION_LEVELS,
  NOTIFICATION_TYPES,
} from './kinds-contract.ts';

export {
  NOTIFICATION_BOXES,
  NOTIFICATION_CHANNELS,
  NOTIFICATION_LEVELS,
  NOTIFICATION_TYPES,
  type NotificationBox,
  type NotificationChannel,
  type NotificationLevel,
  type NotificationType,
} from './kinds-contract.ts';

/** What a notification is about. */
export const notificationTypeSchema = z.enum(NOTIFICATION_TYPES);

/** A notification, the same from the API and in events. Times are UTC with microseconds. */
export const notificationSchema = z.object({
  id: z.guid(),
  type: notificationTypeSchema,
  level: z.enum(NOTIFICATION_LEVELS),
  title: z.string(),
  message: z.string(),
  data: z.record(z.string(), z.unknown()),
  courseId: z.guid().nullable(),
  relatedEntityType: z.string().nullable(),
  relatedEntityId: z.string().nullable(),
  /** How many happenings this one stands for: repeats within a minute are merged. */
  count: z.int().min(1),
  readAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  /** Out of the inbox since then, for good; null while `snoozedUntil` says until when. */
  archivedAt: z.iso.datetime().nullable(),
  /** Out of the inbox until then; the job that brings it back makes this null. */
  snoozedUntil: z.iso.datetime().nullable(),
  /** What lists are ordered by: `createdAt`, or later, when it came back from being snoozed. */
  listedAt: z.iso.datetime(),
});

/** A notification, the same from the API and in events. Times are UTC with microseconds. */
export type Notification = z.infer<typeof notificationSchema>;

/** A moment with its zone, such as `2025-10-04T12:00:00Z`. */
export const momentSchema = z.iso.datetime({
  offset: true,
  error: 'Not an ISO date and time with its zone, such as 2025-10-04T12:00:00Z',
});

/** Which notifications are wanted; both ends of the time range are included. */
const filterInput = z.object({
  type: notificationTypeSchema.optional(),
  read: z.boolean().optional(),
  from: momentSchema.optional(),
  to: momentSchema.optional(),
});

/** A range that ends before it begins is a mistake, not an empty list. */
function endsAfterItBegins({ from, to }: z.infer<typeof filterInput>): boolean {
  return !from || !to || Date.parse(from) <= Date.parse(to);
}
const ENDS_BEFORE_IT_BEGINS = { path: ['to'], error: 'Lies before the beginning of the range' };

/**
 * Asks for the notifications of one box, by `listedAt` with the newest first; the snoozed ones by
 * when they come back, the next one first.
 */
export const listInput = pageInput
  .extend(filterInput.shape)
  .extend({ box: z.enum(NOTIFICATION_BOXES).default('inbox') })
  .refine(endsAfterItBegins, ENDS_BEFORE_IT_BEGINS);

/** Which notifications are wanted, and which part of them. */
export type ListInput = z.infer<typeof listInput>;

/** A list of notifications. `unreadCount` is of the whole inbox, whatever the filter. */
export const listOutput = liveOutput(
  z.object({
    items: z.array(notificationSchema),
    unreadCount: z.int().min(0),
    nextCursor: z.string().nullable(),
  }),
);

/** A list of notifications. `unreadCount` is of the whole inbox, whatever the filter. */
export type NotificationSnapshot = z.infer<typeof listOutput>['data'];

/** Asks for one numbered page, as the guides' REST route has them. */
export const pageNumberInput = filterInput
  .extend({
    page: z.int().min(1).max(100_000).default(1),
    limit: z.int().min(1).max(100).default(20),
  })
  .refine(endsAfterItBegins, ENDS_BEFORE_IT_BEGINS);

/** Which notifications are wanted, and which page of them. */
export type PageNumberInput = z.infer<typeof pageNumberInput>;

/** One numbered page of the inbox. `total` counts what the filter lets through, `unread` all. */
export const pageNumberOutput = z.object({
  items: z.array(notificationSchema),
  total: z.int().min(0),
  unread: z.int().min(0),
});

/** How many notifications of the user's inbox are unread. */
export const unreadCountOutput = liveOutput(z.object({ unreadCount: z.int().min(0) }));

/** Names one notification. */
export const notificationInput = z.object({ id: z.guid() });

/** Puts one off: until a moment to come, at most a year away. */
export const snoozeInput = notificationInput.extend({ until: momentSchema });

/**
 * Everything in the inbox up to the uppermost notification that the reader has seen, that one
 * included. The place's moment is its `listedAt`.
 */
export const markAllAsReadInput = z.object({ through: keysetSchema });

/** The notification as it is after the call. */
export const notificationOutput = z.object({ notification: notificationSchema });

/** How many notifications have changed by the call. */
export const markAllAsReadOutput = z.object({ updatedCount: z.int().min(0) });

/** What was removed. */
export const removeOutput = z.object({ id: z.guid() });

/**
 * Whether notifications of a type are wanted on a channel: in one course, which goes before what is
 * said of all of them (`courseId` null). What isn't told in the portal isn't mailed either.
 */
export const preferenceSchema = z.object({
  type: notificationTypeSchema,
  channel: z.enum(NOTIFICATION_CHANNELS),
  courseId: z.guid().nullable(),
  enabled: z.boolean(),
});

/** Whether notifications of a type are wanted on a channel, in one course or in all. */
export type NotificationPreference = z.infer<typeof preferenceSchema>;

/** Every type on every channel once, with the user's choice; then those for single courses. */
export const preferencesOutput = z.object({ items: z.array(preferenceSchema) });

/** The courses that the caller takes part in, and may say something of, by title. */
export const preferenceCoursesOutput = z.object({
  items: z.array(z.object({ id: z.guid(), title: z.string() })),
});

/** A choice to change. `enabled: null` takes it back: as in all courses, or as without a choice. */
const preferenceInput = z.object({
  type: notificationTypeSchema,
  channel: z.enum(NOTIFICATION_CHANNELS).default('app'),
  courseId: z.guid().nullable().default(null),
  enabled: z.boolean().nullable(),
});

/** The choices to change; those that aren't named stay as they are. */
export const setPreferencesInput = z.object({
  items: z
    .array(preferenceInput)
    .min(1)
    .max(NOTIFICATION_TYPES.length * NOTIFICATION_CHANNELS.length)
    .refine(
      (items) =>
        new Set(items.map((item) => `${item.type} ${item.channel} ${item.courseId}`)).size ===
        items.length,
      { error: 'Names a type twice' },
    ),
});

/** The choices to change. */
export type PreferenceChange = z.output<typeof setPreferencesInput>['items'][number];

/** What `user:<uid>` tells about notifications, by the event's name. */
export const notificationEventSchemas = {
  'notification.created': z.object({
    notification: notificationSchema,
    unreadDelta: z.int(),
  }),
  'notification.updated': z.object({
    notification: notificationSchema,
    unreadDelta: z.int(),
  }),
  'notification.removed': z.object({ id: z.guid(), unreadDelta: z.int() }),
  'notifications.read': z.object({
    through: keysetSchema,
    readAt: z.iso.datetime(),
    unreadDelta: z.int(),
  }),
} as const;

/** What `user:<uid>` tells about notifications, by the event's name. */
export type NotificationEvents = {
  [Name in keyof typeof notificationEventSchemas]: z.infer<(typeof notificationEventSchemas)[Name]>;
};
