import type { RequestEvent } from '@sveltejs/kit';
import * as z from 'zod';
import { failureOf } from '../errors/page-error.ts';
import { readForm, type Invalid } from '../server/read-form.ts';
import { requireSession } from '../server/routes.ts';

/** What a form of the settings gives back: which one, and whether it was saved or what to mend. */
export type SettingsAnswer = {
  form: 'profile' | 'notifications' | 'course' | 'quiet' | 'digest' | 'privacy' | 'password';
  saved?: boolean;
  fields?: Invalid;
  message?: string;
};

/** What the page of the settings needs. */
export async function loadSettings(event: RequestEvent) {
  requireSession(event);
  const { notifications, delivery, messages, presence } = event.locals.caller;
  const [{ items }, courses, when, messageSettings, presenceSettings] = await Promise.all([
    notifications.preferences.get(),
    notifications.preferences.courses(),
    delivery.get(),
    messages.settings.get(),
    presence.settings.get(),
  ]);
  return {
    preferences: items,
    courses: courses.items,
    delivery: when,
    privacy: { ...messageSettings, ...presenceSettings },
    timeZones: Intl.supportedValuesOf('timeZone'),
  };
}

const profileSchema = z.object({
  firstName: z
    .string()
    .trim()
    .min(1, 'Enter your first name.')
    .max(100, 'Use at most 100 letters.'),
  lastName: z.string().trim().min(1, 'Enter your last name.').max(100, 'Use at most 100 letters.'),
  timeZone: z.string().min(1, 'Choose a time zone.'),
});

/** Saves names and time zone. */
export async function saveProfile(event: RequestEvent) {
  const form = await readForm(event, profileSchema);
  if (!form.ok) return form.refuse((fields): SettingsAnswer => ({ form: 'profile', fields }));
  try {
    await event.locals.caller.identity.updateMe(form.data);
  } catch (error) {
    return failureOf(error, { form: 'profile' as const });
  }
  return { form: 'profile', saved: true } satisfies SettingsAnswer;
}

/** What others see of one: each is a switch of the form, on when its name is among what was sent. */
export type Privacy = { sendsReceipts: boolean; showsTyping: boolean; isInvisible: boolean };

/** Saves what others see of one. */
export async function savePrivacy(event: RequestEvent) {
  const form = await event.request.formData();
  const isOn = (name: keyof Privacy) => form.getAll('on').includes(name);
  const { messages, presence } = event.locals.caller;
  try {
    await Promise.all([
      messages.settings.set({
        sendsReceipts: isOn('sendsReceipts'),
        showsTyping: isOn('showsTyping'),
      }),
      presence.settings.set({ isInvisible: isOn('isInvisible') }),
    ]);
  } catch (error) {
    return failureOf(error, { form: 'privacy' as const });
  }
  return { form: 'privacy', saved: true } satisfies SettingsAnswer;
}
