import type { TRPCRouterRecord } from '@trpc/server';
import { userProcedure } from '../server/procedures.ts';
import {
  listInput,
  listOutput,
  markAllAsReadInput,
  markAllAsReadOutput,
  notificationInput,
  notificationOutput,
  pageNumberInput,
  pageNumberOutput,
  preferenceCoursesOutput,
  preferencesOutput,
  removeOutput,
  setPreferencesInput,
  snoozeInput,
  unreadCountOutput,
} from './contract.ts';
import {
  countUnread,
  listNotificationPage,
  listNotifications,
  markAllAsRead,
  removeNotification,
  setArchived,
  setRead,
  setSnoozed,
} from './queries.ts';
import { listPreferenceCourses, listPreferences, setPreferences } from './preferences.ts';

const preferencesRouter = {
  /** Every type of notification on every channel, and whether the caller wants it there. */
  get: userProcedure
    .output(preferencesOutput)
    .query(({ ctx }) => ctx.transaction((tx) => listPreferences(tx, ctx.session.userId))),

  /** The courses that one may say something of. */
  courses: userProcedure
    .output(preferenceCoursesOutput)
    .query(({ ctx }) => ctx.transaction(listPreferenceCourses)),

  /** Changes the types named, on a channel, for a course or for all; gives all. */
  set: userProcedure
    .input(setPreferencesInput)
    .output(preferencesOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => setPreferences(tx, ctx.session.userId, input.items)),
    ),
} satisfies TRPCRouterRecord;

/** The caller's own notifications, live on `user:<uid>`. */
export const notificationsRouter = {
  /** One box, the newest first (snoozed: the next to come back), with the inbox's unread count. */
  list: userProcedure
    .input(listInput)
    .output(listOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => listNotifications(tx, ctx.session.userId, input)),
    ),

  /** A numbered page of the inbox, for the guides' REST route. It shifts while notifications arrive. */
  page: userProcedure
    .input(pageNumberInput)
    .output(pageNumberOutput)
    .query(({ ctx, input }) =>
      ctx.transaction((tx) => listNotificationPage(tx, ctx.session.userId, input)),
    ),

  /** How many are unread. */
  unreadCount: userProcedure
    .output(unreadCountOutput)
    .query(({ ctx }) => ctx.transaction((tx) => countUnread(tx, ctx.session.userId))),

  /** Marks one as read; one that is read already stays as it is. */
  markAsRead: userProcedure
    .input(notificationInput)
    .output(notificationOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => setRead(tx, ctx.session.userId, input.id, true)),
    ),

  /** Marks one as unread again. */
  markAsUnread: userProcedure
    .input(notificationInput)
    .output(notificationOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => setRead(tx, ctx.session.userId, input.id, false)),
    ),

  /** Marks all up to the newest that the caller has seen: one that just arrives stays unread. */
  markAllAsRead: userProcedure
    .input(markAllAsReadInput)
    .output(markAllAsReadOutput)
    .mutation(({ ctx, input }) => ctx.transaction((tx) => markAllAsRead(tx, input.through))),

  /** Puts one away for good; one that was snoozed too. */
  archive: userProcedure
    .input(notificationInput)
    .output(notificationOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => setArchived(tx, ctx.session.userId, input.id, true)),
    ),

  /** Takes an archived one back into the inbox, as it was. */
  unarchive: userProcedure
    .input(notificationInput)
    .output(notificationOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => setArchived(tx, ctx.session.userId, input.id, false)),
    ),

  /** Puts one off: it comes back unread, on top. One that was archived or snoozed, too. */
  snooze: userProcedure
    .input(snoozeInput)
    .output(notificationOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => setSnoozed(tx, ctx.session.userId, input.id, input.until)),
    ),

  /** Takes a snoozed one back into the inbox before its time, as it was. */
  unsnooze: userProcedure
    .input(notificationInput)
    .output(notificationOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => setSnoozed(tx, ctx.session.userId, input.id, null)),
    ),

  /** Removes one. */
  remove: userProcedure
    .input(notificationInput)
    .output(removeOutput)
    .mutation(({ ctx, input }) =>
      ctx.transaction((tx) => removeNotification(tx, ctx.session.userId, input.id)),
    ),

  preferences: preferencesRouter,
} satisfies TRPCRouterRecord;
