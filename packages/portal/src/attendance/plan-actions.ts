import { error, fail, redirect, type RequestEvent } from '@sveltejs/kit';
import { failureOf, throwPageError } from '../errors/page-error.ts';
import type { Invalid } from '../server/read-form.ts';
import { newPlan, planOf, readPlan, type PlanValues } from './plan-form.ts';

/** What the form of a workshop gives back: what was typed, and what to mend. */
export type PlanAnswer = { values?: PlanValues; fields?: Invalid; message?: string };

/** As many as a list to choose from shows. */
const COURSES_MAX = 100;

/** What the page for planning a workshop needs. */
export async function loadNewPlan({ locals, url }: RequestEvent) {
  const [taught, me] = await Promise.all([
    locals.caller.catalog.teaching({ limit: COURSES_MAX }),
    locals.caller.identity.me(),
  ]).catch(throwPageError);
  const courses = taught.data.items.map(({ id, slug, title }) => ({ id, slug, title }));
  const chosen = courses.find(({ slug }) => slug === url.searchParams.get('course'));
  const courseId = (chosen ?? courses[0])?.id ?? '';
  return {
    courses,
    values: { ...newPlan(Date.now(), me.timeZone), courseId } as PlanValues,
    timeZones: Intl.supportedValuesOf('timeZone'),
  };
}

/** What the page for changing a workshop needs. For its staff. */
export async function loadPlan({ locals, params }: RequestEvent) {
  const { data } = await locals.caller.workshops
    .view({ workshopId: params.workshop ?? '' })
    .catch(throwPageError);
  if (!data.isStaff) error(403, 'Only the instructors of its course change a workshop.');
  return {
    workshop: data.workshop,
    counts: data.counts,
    values: planOf(data.workshop, data.meetingUrl),
    timeZones: Intl.supportedValuesOf('timeZone'),
  };
}

/** The plan that a form holds, or how to refuse it. */
async function planIn({ request }: RequestEvent) {
  const values: PlanValues = {};
  for (const [name, value] of await request.formData()) {
    if (typeof value === 'string') values[name] = value;
  }
  const read = readPlan(values);
  if (read.ok) return { ...read, values };
  return { ok: false as const, refusal: fail<PlanAnswer>(400, { values, fields: read.fields }) };
}

/** Plans a workshop and leads to its page. */
export async function planWorkshop(event: RequestEvent) {
  const form = await planIn(event);
  if (!form.ok) return form.refusal;
  const { values, plan } = form;
  if (Date.parse(plan.endsAt) <= Date.now()) {
    const fields = { ends: 'This lies in the past.' };
    return fail(400, { values, fields } satisfies PlanAnswer);
  }
  const { courseId = '' } = values;
  const planned = await event.locals.caller.workshops
    .plan({ ...plan, courseId })
    .catch((cause: unknown) => failureOf(cause, { values }));
  if ('workshop' in planned) redirect(303, `/workshops/${planned.workshop.id}`);
  return planned;
}

/** Changes a workshop and leads back to its page. */
export async function changeWorkshop(event: RequestEvent) {
  const form = await planIn(event);
  if (!form.ok) return form.refusal;
  const { workshop: workshopId = '' } = event.params;
  try {
    await event.locals.caller.workshops.change({ ...form.plan, workshopId });
  } catch (cause) {
    return failureOf(cause, { values: form.values });
  }
  redirect(303, `/workshops/${workshopId}`);
}

/** Calls a workshop off and leads back to its page. */
export async function cancelWorkshop(event: RequestEvent) {
  const { workshop: workshopId = '' } = event.params;
  try {
    await event.locals.caller.workshops.cancel({ workshopId });
  } catch (cause) {
    return failureOf(cause);
  }
  redirect(303, `/workshops/${workshopId}`);
}
