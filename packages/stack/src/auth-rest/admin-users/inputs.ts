import { z } from 'zod';

const metadata = z.record(z.string(), z.unknown());

/** `none`, or a span as Go writes it: `24h`, `1h30m`. Seconds; null for none. */
const banDuration = z.string().transform((text, context) => {
  if (text === 'none') return null;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) {
    context.addIssue({ code: 'custom', message: 'invalid format for ban duration' });
    return z.NEVER;
  }
  const seconds = { ms: 0.001, s: 1, m: 60, h: 3600 };
  return parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * seconds[unit as keyof typeof seconds],
    0,
  );
});

/** What `updateUserById` takes. */
export const userChanges = z.object({
  email: z.email('Unable to validate email address: invalid format').toLowerCase().optional(),
  phone: z.string().optional(),
  password: z
    .string()
    .min(6, 'Password should be at least 6 characters.')
    .max(72, 'Password cannot be longer than 72 characters')
    .optional(),
  password_hash: z
    .string()
    .regex(/^\$2[aby]\$/, 'only bcrypt is known')
    .optional(),
  email_confirm: z.boolean().optional(),
  phone_confirm: z.boolean().optional(),
  user_metadata: metadata.nullish(),
  app_metadata: metadata.nullish(),
  role: z.string().optional(),
  ban_duration: banDuration.optional(),
});
export type UserChanges = z.infer<typeof userChanges>;

/** What `createUser` takes. */
export const newUser = userChanges
  .extend({ id: z.uuid().optional() })
  .refine(({ email, phone }) => Boolean(email ?? phone), {
    message: 'Cannot create a user without either an email or phone',
  });
export type NewUser = z.infer<typeof newUser>;

/** What `deleteUser` takes. */
export const softDeletion = z
  .object({ should_soft_delete: z.boolean().default(false) })
  .transform((body) => body.should_soft_delete);

/** Pages count from 1; 50 users each unless told otherwise, as GoTrue. */
export function pageOfUsers(query: URLSearchParams): { page: number; perPage: number } {
  const whole = (name: string, otherwise: number, max: number) =>
    z.coerce
      .number()
      .int()
      .min(1)
      .max(max)
      .parse(query.get(name) || otherwise, { reportInput: false });
  return { page: whole('page', 1, 1_000_000), perPage: whole('per_page', 50, 1000) };
}
