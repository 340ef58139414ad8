import * as z from 'zod';
import { enrollOutput } from '../enrollment/contract.ts';
import { roleSchema } from '../identity/contract.ts';
import { NOTIFICATION_LEVELS, NOTIFICATION_TYPES } from '../notifications/contract.ts';
import { pageInput } from '../pagination/contract.ts';
import { completeLessonInput } from '../progress/contract.ts';

/**
 * Names a call, so that a repeat of it has no effect of its own. The client makes one where the
 * caller gives none.
 */
const idempotencyKey = z.string().min(8).max(100);

const person = { userId: z.guid() };

/** Every screen that shows the notification loads it. */
const DATA_LENGTH_MAX = 10_000;

/** Enrolls somebody, whatever the course costs. */
export const enrollInput = z.object({ ...person, courseId: z.guid() });

/** The enrollment; `isNew` is false when there was one already. */
export const enrolledOutput = enrollOutput.extend(person);

/** Completes a lesson for somebody. */
export const completeInput = completeLessonInput.extend(person);

/** What a service tells somebody. */
export const notifyInput = z.object({
  ...person,
  idempotencyKey,
  type: z.enum(NOTIFICATION_TYPES).default('system'),
  level: z.enum(NOTIFICATION_LEVELS).default('info'),
  title: z.string().trim().min(1).max(255),
  message: z.string().trim().min(1).max(5000),
  courseId: z.guid().optional(),
  /** More about it, shown by nobody but kept with it. */
  data: z
    .record(z.string().max(100), z.unknown())
    .refine((data) => JSON.stringify(data).length <= DATA_LENGTH_MAX, 'Is too large')
    .default({}),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

/** The notification; null when its recipient doesn't want such ones. */
export const notifyOutput = z.object({ id: z.guid().nullable() });

/** Somebody, as services know them. */
export const serviceUserSchema = z.object({
  id: z.guid(),
  email: z.string(),
  firstName: z.string(),
  lastName: z.string(),
  role: roleSchema,
  isActive: z.boolean(),
  timeZone: z.string(),
  createdAt: z.iso.datetime(),
});

/** Somebody, as services know them. */
export type ServiceUser = z.infer<typeof serviceUserSchema>;

/** Asks for people, the newest first; by address or by ids. */
export const usersInput = pageInput.extend({
  email: z.email().optional(),
  ids: z.array(z.guid()).min(1).max(100).optional(),
});

/** People, the newest first. */
export const usersOutput = z.object({
  items: z.array(serviceUserSchema),
  nextCursor: z.string().nullable(),
});

/** Makes a subscription last until a moment; never shortens one. */
export const extendInput = z.object({
  ...person,
  plan: z.string().trim().min(1).max(100),
  until: z.iso.datetime({ offset: true }),
  /** The service's own name for it; by default there is one per person and plan. */
  reference: z.string().min(1).max(200).optional(),
});

/** The subscription as it stands. */
export const subscriptionOutput = z.object({
  id: z.guid(),
  userId: z.guid(),
  plan: z.string(),
  status: z.enum(['active', 'past_due', 'cancelled', 'expired']),
  expiresAt: z.iso.datetime(),
});

/** What came of what was told of a payment. */
export const paymentOutcomeSchema = z.enum([
  'repeated',
  'recorded',
  'enrolled',
  'refunded',
  'unmatched',
]);

/** What came of what was told of a payment. */
export type PaymentOutcome = z.infer<typeof paymentOutcomeSchema>;

/** Tells of a payment that came another way than through the webhook. */
export const recordPaymentInput = z.object({
  ...person,
  idempotencyKey,
  courseId: z.guid(),
  /** The service's own name for the payment: what is told of it later adds to it. */
  reference: z.string().min(1).max(200),
  amountCents: z.int().min(0).max(100_000_000),
  refundedCents: z.int().min(0).max(100_000_000).default(0),
  currency: z.string().regex(/^[A-Za-z]{3}$/, 'Three letters, such as EUR'),
  status: z.enum(['pending', 'failed', 'succeeded', 'refunded']),
});

/** What came of it. */
export const recordPaymentOutput = z.object({ outcome: paymentOutcomeSchema });
