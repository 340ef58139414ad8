import * as z from 'zod';

/** A time of the clock, to the minute. */
const clockSchema = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Not a time of the day, such as 22:00');

/** Hours in which nothing rings and nothing is mailed; over midnight where they end earlier. */
const quietHoursSchema = z
  .object({
    isOn: z.boolean(),
    from: clockSchema,
    to: clockSchema,
    /** Weekdays on which they begin, from 1, Monday; each once. */
    days: z
      .array(z.int().min(1).max(7))
      .min(1, 'Names no day: turn quiet hours off instead')
      .max(7)
      .default([1, 2, 3, 4, 5, 6, 7]),
  })
  .refine(({ from, to }) => from !== to, {
    path: ['to'],
    error: 'Lies where the quiet hours begin: choose another end',
  });

/** How often a digest comes, and when: weekdays from 1, Monday; hours of the clock. */
const digestSchema = z.object({
  frequency: z.enum(['off', 'daily', 'weekly']),
  weekday: z.int().min(1).max(7),
  hour: z.int().min(0).max(23),
});

/** When the caller is told: by the clock of their time zone. */
export const deliveryOutput = z.object({
  timeZone: z.string(),
  quietHours: quietHoursSchema,
  digest: digestSchema,
  /** When the next digest comes, if there is something to tell then; null when it is off. */
  nextDigestAt: z.iso.datetime().nullable(),
  /** Whether this Homeroom can send mail at all. */
  sendsMail: z.boolean(),
});

/** When someone is told. */
export type Delivery = z.infer<typeof deliveryOutput>;

/** What to change; what isn't named stays as it is. */
export const setDeliveryInput = z
  .object({ quietHours: quietHoursSchema.optional(), digest: digestSchema.optional() })
  .refine(({ quietHours, digest }) => quietHours !== undefined || digest !== undefined, {
    error: 'Names nothing to change',
  });

/** What to change of when someone is told. */
export type SetDelivery = z.output<typeof setDeliveryInput>;

/** The key that a digest carries, in the address that turns it off. */
export const stopDigestInput = z.object({ key: z.guid() });

/** Whether the key was somebody's. */
export const stopDigestOutput = z.object({ stopped: z.boolean() });
