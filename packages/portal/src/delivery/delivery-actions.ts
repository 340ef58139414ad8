import type { RequestEvent } from '@sveltejs/kit';
import * as z from 'zod';
import { failureOf, throwPageError } from '../errors/page-error.ts';
import { readForm } from '../server/read-form.ts';
import type { SettingsAnswer } from '../settings/settings.ts';

/** A weekday that was ticked, as its number. */
const day = z.coerce.number().int().min(1).max(7).optional();
const quietSchema = z
  .object({
    isOn: z.literal('true').optional(),
    from: z.iso.time({ precision: -1, error: 'Enter a time, like 22:00.' }),
    to: z.iso.time({ precision: -1, error: 'Enter a time, like 07:00.' }),
    ...{ day1: day, day2: day, day3: day, day4: day, day5: day, day6: day, day7: day },
  })
  .refine((form) => daysOf(form).length > 0, {
    path: ['days'],
    error: 'Choose a day, or turn quiet hours off.',
  })
  .refine(({ from, to }) => from !== to, {
    path: ['to'],
    error: 'Choose another end: they begin at this time.',
  });

/** The weekdays that were ticked. */
function daysOf(form: Record<string, string | number | undefined>): number[] {
  return [1, 2, 3, 4, 5, 6, 7].filter((weekday) => form[`day${weekday}`] === weekday);
}

/** Saves the quiet hours. */
export async function saveQuietHours(event: RequestEvent) {
  const form = await readForm(event, quietSchema);
  if (!form.ok) return form.refuse((fields): SettingsAnswer => ({ form: 'quiet', fields }));
  const { isOn, from, to } = form.data;
  try {
    await event.locals.caller.delivery.set({
      quietHours: { isOn: isOn !== undefined, from, to, days: daysOf(form.data) },
    });
  } catch (error) {
    return failureOf(error, { form: 'quiet' as const });
  }
  return { form: 'quiet', saved: true } satisfies SettingsAnswer;
}

const digestSchema = z.object({
  frequency: z.enum(['off', 'daily', 'weekly'], 'Choose how often it comes.'),
  weekday: z.coerce.number().int().min(1).max(7).default(1),
  hour: z.coerce.number().int().min(0).max(23).default(8),
});

/** Saves how often the digest comes, and when. */
export async function saveDigest(event: RequestEvent) {
  const form = await readForm(event, digestSchema);
  if (!form.ok) return form.refuse((fields): SettingsAnswer => ({ form: 'digest', fields }));
  try {
    await event.locals.caller.delivery.set({ digest: form.data });
  } catch (error) {
    return failureOf(error, { form: 'digest' as const });
  }
  return { form: 'digest', saved: true } satisfies SettingsAnswer;
}

/** Turns off the digest whose key is `text`; nobody needs to be signed in for it. */
export async function stopDigest({ locals }: RequestEvent, text: string) {
  const key = z.guid().safeParse(text);
  if (!key.success) return { stopped: false };
  try {
    return await locals.caller.delivery.stopDigest({ key: key.data });
  } catch (error) {
    return throwPageError(error);
  }
}
