import type { TRPCRouterRecord } from '@trpc/server';
import { recordPayment } from '../payments/queries.ts';
import { completionSchema } from '../progress/contract.ts';
import {
  completeInput,
  enrolledOutput,
  enrollInput,
  extendInput,
  notifyInput,
  notifyOutput,
  recordPaymentInput,
  recordPaymentOutput,
  subscriptionOutput,
  usersInput,
  usersOutput,
} from './contract.ts';
import {
  completeLessonFor,
  enrollFor,
  extendSubscription,
  listUsers,
  notifyPerson,
} from './queries.ts';
import { serviceProcedure } from './service-procedure.ts';

/**
 * What internal services do for people, each with the scope that it needs. Every mutation may be
 * repeated without effect, by its nature or by its idempotency key: the client counts on that.
 */
export const servicesRouter = {
  /** Enrolls somebody in a published course, whatever it costs. */
  enroll: serviceProcedure('enrollments:write')
    .input(enrollInput)
    .output(enrolledOutput)
    .mutation(({ ctx, input }) => ctx.actOn(input.userId, (tx) => enrollFor(tx, input))),

  /** Completes a lesson for somebody, with all that follows from it. */
  completeLesson: serviceProcedure('progress:write')
    .input(completeInput)
    .output(completionSchema)
    .mutation(({ ctx, input }) => ctx.actOn(input.userId, (tx) => completeLessonFor(tx, input))),

  /** Tells somebody something. */
  notify: serviceProcedure('notifications:write')
    .input(notifyInput)
    .output(notifyOutput)
    .mutation(({ ctx, input }) =>
      ctx.actOn(input.userId, async (tx) => ({
        id: await notifyPerson(tx, ctx.service.id, input),
      })),
    ),

  /** Makes somebody's subscription last until a moment; never shortens one. */
  extendSubscription: serviceProcedure('subscriptions:write')
    .input(extendInput)
    .output(subscriptionOutput)
    .mutation(({ ctx, input }) =>
      ctx.actOn(input.userId, (tx) => extendSubscription(tx, ctx.service.id, input)),
    ),

  /** Tells of a payment that came another way than through the webhook. */
  recordPayment: serviceProcedure('payments:write')
    .input(recordPaymentInput)
    .output(recordPaymentOutput)
    .mutation(({ ctx, input: { idempotencyKey, ...payment } }) =>
      ctx.actOn(payment.userId, async (tx) => ({
        outcome: await recordPayment(tx, {
          ...payment,
          provider: `service ${ctx.service.id}`,
          eventId: idempotencyKey,
          type: 'services.recordPayment',
          happenedAt: new Date().toISOString(),
        }),
      })),
    ),

  /** People, the newest first; by address or by ids. */
  users: serviceProcedure('users:read')
    .input(usersInput)
    .output(usersOutput)
    .query(({ ctx, input }) => ctx.actOn(null, (tx) => listUsers(tx, input))),
} satisfies TRPCRouterRecord;
