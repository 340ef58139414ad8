import { failureOf, renderMarkdown, throwPageError } from '@homeroom/portal/server';
import { fail, redirect, type RequestEvent } from '@sveltejs/kit';
import { localOf, momentOf } from '#lib/announcements/schedule.ts';
import type { Actions, PageServerLoad } from './$types';

export const load: PageServerLoad = async ({ locals, params, parent }) => {
  const { shell } = await parent();
  const { timeZone } = shell.me;
  const isNew = params.id === 'new';
  const [announcement, taught] = await Promise.all([
    isNew ? null : locals.caller.announcements.view({ id: params.id }),
    locals.caller.catalog.teaching({ limit: 100 }),
  ]).catch(throwPageError);
  return {
    announcement,
    html: announcement && renderMarkdown(announcement.content),
    scheduledLocal: announcement?.scheduledAt ? localOf(announcement.scheduledAt, timeZone) : '',
    /** Chosen here, so that a form that is sent twice is one announcement. */
    id: announcement?.id ?? crypto.randomUUID(),
    timeZone,
    courses: taught.data.items.map(({ id, title }) => ({ id, title })),
  };
};

const textOf = (form: FormData, name: string): string => {
  const value = form.get(name);
  return typeof value === 'string' ? value : '';
};

/** What the form says, as it was written. */
async function readForm({ request }: RequestEvent) {
  const form = await request.formData();
  return {
    id: textOf(form, 'id'),
    title: textOf(form, 'title'),
    content: textOf(form, 'content'),
    scheduledAt: textOf(form, 'scheduledAt'),
    courseIds: form.getAll('course').filter((value) => typeof value === 'string'),
  };
}

/** Saves what the form says, does what follows, and leads to the list. */
async function save(
  event: RequestEvent,
  scheduled: 'keep' | 'never',
  follow?: (id: string) => Promise<unknown>,
) {
  const { caller } = event.locals;
  const values = await readForm(event);
  const { timeZone } = await caller.identity.me();
  const isScheduled = scheduled === 'keep' && values.scheduledAt !== '';
  const scheduledAt = isScheduled ? momentOf(values.scheduledAt, timeZone) : null;
  if (scheduledAt === undefined) return fail(400, { values, message: 'Choose a day and a time.' });
  try {
    await caller.announcements.save({ ...values, scheduledAt });
    await follow?.(values.id);
  } catch (error) {
    return failureOf(error, { values });
  }
  redirect(303, '/announcements');
}

export const actions: Actions = {
  preview: async (event) => {
    const values = await readForm(event);
    return { values, preview: renderMarkdown(values.content) };
  },
  save: (event) => save(event, 'keep'),
  send: (event) => save(event, 'never', (id) => event.locals.caller.announcements.send({ id })),
  remove: async (event) => {
    const { id } = await readForm(event);
    try {
      await event.locals.caller.announcements.remove({ id });
    } catch (error) {
      return failureOf(error);
    }
    redirect(303, '/announcements');
  },
};
