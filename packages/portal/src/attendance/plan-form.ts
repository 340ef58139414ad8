import type { Workshop, WorkshopPlan } from '@homeroom/api/contract';
import * as z from 'zod';
import { localTimeOf, momentOf } from './zoned-time.ts';

/** What stands in the form of a workshop, by the field's name. */
export type PlanValues = Record<string, string>;

const SKIPPED = 'The clocks go forward over this time, so it does not exist there.';

const minutes = z.coerce
  .number('Enter a number of minutes.')
  .int('Enter whole minutes.')
  .min(0, 'Enter 0 or more.')
  .max(1440, 'At most a day: 1440 minutes.');

/** An empty field says that there is nothing. */
const orNothing = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((text) => (text === '' || text === undefined ? null : text), schema.nullable());

/** The fields of the form, as they are sent, but for its times. */
const fieldsSchema = z.object({
  title: z.string().trim().min(1, 'Give it a title.').max(200, 'Use at most 200 letters.'),
  description: z.string().trim().max(10_000, 'Use at most 10,000 letters.').default(''),
  location: orNothing(z.string().trim().max(300, 'Use at most 300 letters.')),
  meetingUrl: orNothing(
    z.url({ protocol: /^https$/, error: 'Enter an address that begins with https://.' }),
  ),
  timeZone: z.string().min(1, 'Choose a time zone.'),
  capacity: orNothing(
    z.coerce
      .number('Enter a number, or nothing for as many as want.')
      .int('Enter a whole number.')
      .min(1, 'Enter 1 or more, or nothing for as many as want.')
      .max(100_000, 'At most 100,000.'),
  ),
  isOpen: z.literal('on').optional(),
  checkInOpensMinutes: minutes,
  lateAfterMinutes: minutes,
});

/** A form that can be sent on, or what to mend in it, by the field's name. */
export type ReadPlan =
  { ok: true; plan: WorkshopPlan } | { ok: false; fields: Record<string, string> };

/** Reads the form of a workshop. All that is wrong is said at once. */
export function readPlan(values: PlanValues): ReadPlan {
  const { startsAt, endsAt, fields } = readTimes(values);
  const result = fieldsSchema.safeParse(values);
  for (const { path, message } of result.error?.issues ?? []) fields[String(path[0])] ??= message;
  if (!result.success || startsAt === undefined || endsAt === undefined) {
    return { ok: false, fields };
  }
  if (Object.keys(fields).length > 0) return { ok: false, fields };
  const { isOpen, ...rest } = result.data;
  return { ok: true, plan: { ...rest, startsAt, endsAt, isOpen: isOpen === 'on' } };
}

/** When the form says that it begins and ends, and what is wrong with that. */
function readTimes({ starts = '', ends = '', timeZone = '' }: PlanValues) {
  const fields: Record<string, string> = {};
  const moment = (field: 'starts' | 'ends', local: string) => {
    const found = momentOf(local, timeZone);
    if ('at' in found) return found.at;
    fields[field] = found.no === 'skipped' ? SKIPPED : 'Enter a date and a time.';
    return undefined;
  };
  const [startsAt, endsAt] = [moment('starts', starts), moment('ends', ends)];
  if (startsAt !== undefined && endsAt !== undefined && endsAt <= startsAt) {
    fields.ends = 'It has to end after it begins.';
  }
  return { startsAt, endsAt, fields };
}

const HOUR_MS = 3_600_000;

/** What a form begins with: an hour, tomorrow at the next full hour, in the instructor's zone. */
export function newPlan(nowMs: number, timeZone: string): PlanValues {
  const startsAt = Math.ceil(nowMs / HOUR_MS) * HOUR_MS + 24 * HOUR_MS;
  const local = (ms: number) => localTimeOf(new Date(ms).toISOString(), timeZone);
  return {
    ...{ title: '', description: '', location: '', meetingUrl: '', capacity: '', timeZone },
    ...{ starts: local(startsAt), ends: local(startsAt + HOUR_MS) },
    ...{ checkInOpensMinutes: '15', lateAfterMinutes: '10' },
  };
}

/** What the form of a workshop that is planned begins with. */
export function planOf(workshop: Workshop, meetingUrl: string | null): PlanValues {
  const { timeZone, capacity } = workshop;
  return {
    title: workshop.title,
    description: workshop.description,
    location: workshop.location ?? '',
    meetingUrl: meetingUrl ?? '',
    starts: localTimeOf(workshop.startsAt, timeZone),
    ends: localTimeOf(workshop.endsAt, timeZone),
    timeZone,
    capacity: capacity === null ? '' : String(capacity),
    checkInOpensMinutes: String(workshop.checkInOpensMinutes),
    lateAfterMinutes: String(workshop.lateAfterMinutes),
    ...(workshop.isOpen ? { isOpen: 'on' } : {}),
  };
}
