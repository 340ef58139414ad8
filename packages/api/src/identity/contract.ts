import * as z from 'zod';

/** What a person may do here; given by the database, never by the person. */
export const roleSchema = z.enum(['student', 'instructor', 'admin']);

/** What a person may do here; given by the database, never by the person. */
export type Role = z.infer<typeof roleSchema>;

/** The signed-in user, as they see themselves. */
export const meOutput = z.object({
  id: z.guid(),
  email: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  avatarUrl: z.string().nullable(),
  role: roleSchema,
  timeZone: z.string(),
  /**
   * From when to when nothing rings, by the clock of the time zone, and on which weekdays that begins
   * (1 is Monday); null: never.
   */
  quietHours: z.object({ from: z.string(), to: z.string(), days: z.array(z.int()) }).nullable(),
  createdAt: z.iso.datetime(),
});

/** The signed-in user, as they see themselves. */
export type Me = z.infer<typeof meOutput>;

/** Whether this machine knows the zone, as browsers and Postgres name them. */
function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    // RangeError: the only way in which Intl says that it doesn't know a zone.
    return false;
  }
}

const nameSchema = z.string().trim().min(1).max(100);

/** What users may change of themselves; what isn't named stays as it is. */
export const updateMeInput = z
  .object({
    firstName: nameSchema.optional(),
    lastName: nameSchema.optional(),
    avatarUrl: z
      .url({ protocol: /^https$/ })
      .max(2000)
      .nullable()
      .optional(),
    timeZone: z
      .string()
      .refine(isTimeZone, 'Not a time zone that we know, such as Europe/Vienna')
      .optional(),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    error: 'Names nothing to change',
  });

/** What users may change of themselves. */
export type UpdateMe = z.infer<typeof updateMeInput>;
