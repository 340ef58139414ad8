import {
  NOTIFICATION_CHANNELS,
  NOTIFICATION_TYPES,
  type NotificationChannel,
  type NotificationType,
} from '@homeroom/api/kinds';
import type { RequestEvent } from '@sveltejs/kit';
import { failureOf } from '../errors/page-error.ts';
import { isWanted } from './preferences.ts';
import type { SettingsAnswer } from './settings.ts';

type Choice = { type: NotificationType; channel: NotificationChannel; enabled: boolean };

/** What a form says: `shown` are the switches on it, those `on` are on. */
function readChoices(form: FormData): Choice[] {
  const shown = new Set(form.getAll('shown'));
  const on = new Set(form.getAll('on'));
  return NOTIFICATION_TYPES.flatMap((type) =>
    NOTIFICATION_CHANNELS.filter((channel) => shown.has(`${type} ${channel}`)).map((channel) => ({
      ...{ type, channel },
      enabled: on.has(`${type} ${channel}`),
    })),
  );
}

/** The course that a form is about; what is none, the API refuses. */
function courseOf(form: FormData): string {
  const id = form.get('courseId');
  return typeof id === 'string' ? id : '';
}

/** Saves what one is told of in all courses. */
export async function savePreferences(event: RequestEvent) {
  const items = readChoices(await event.request.formData());
  try {
    await event.locals.caller.notifications.preferences.set({ items });
  } catch (error) {
    return failureOf(error, { form: 'notifications' as const });
  }
  return { form: 'notifications', saved: true } satisfies SettingsAnswer;
}

/** Saves what one wants otherwise in one course; what is as in all of them follows those again. */
export async function saveCoursePreferences(event: RequestEvent) {
  const form = await event.request.formData();
  const courseId = courseOf(form);
  const { preferences } = event.locals.caller.notifications;
  try {
    const { items } = await preferences.get();
    await preferences.set({
      items: readChoices(form).map(({ type, channel, enabled }) => ({
        ...{ type, channel, courseId },
        enabled: enabled === isWanted(items, type, channel, null) ? null : enabled,
      })),
    });
  } catch (error) {
    return failureOf(error, { form: 'course' as const });
  }
  return { form: 'course', saved: true } satisfies SettingsAnswer;
}

/** Takes back everything that was said of one course. */
export async function resetCoursePreferences(event: RequestEvent) {
  const courseId = courseOf(await event.request.formData());
  const { preferences } = event.locals.caller.notifications;
  try {
    const { items } = await preferences.get();
    const own = items.filter((item) => item.courseId === courseId);
    if (own.length > 0) {
      await preferences.set({ items: own.map((item) => ({ ...item, enabled: null })) });
    }
  } catch (error) {
    return failureOf(error, { form: 'course' as const });
  }
  return { form: 'course', saved: true } satisfies SettingsAnswer;
}
