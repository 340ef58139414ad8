import type { NotificationPreference } from '@homeroom/api/contract';
import type { NotificationChannel, NotificationType } from '@homeroom/api/kinds';

/** Whether a type is wanted on a channel: as was said of the course, else as of all courses. */
export function isWanted(
  preferences: readonly NotificationPreference[],
  type: NotificationType,
  channel: NotificationChannel,
  courseId: string | null,
): boolean {
  const said = (id: string | null) =>
    preferences.find(
      (item) => item.type === type && item.channel === channel && item.courseId === id,
    )?.enabled;
  return (courseId === null ? undefined : said(courseId)) ?? said(null) ?? true;
}
