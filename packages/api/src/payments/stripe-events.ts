import type { Stripe } from 'stripe';
import type { PaymentEvent } from './queries.ts';

type Told = Omit<PaymentEvent, 'provider' | 'eventId' | 'type' | 'happenedAt'>;

/**
 * What an event of Stripe's says of a payment for a course; null when it concerns none. Whoever
 * makes the Checkout session or the payment intent puts `user_id` and `course_id` into its
 * metadata; a payment is known by its payment intent.
 */
export function paymentOf(event: Stripe.Event): PaymentEvent | null {
  const told = toldBy(event);
  if (told === null) return null;
  return {
    provider: 'stripe',
    eventId: event.id,
    type: event.type,
    happenedAt: new Date(event.created * 1000).toISOString(),
    ...told,
  };
}

function toldBy(event: Stripe.Event): Told | null {
  switch (event.type) {
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
      return ofSession(
        event.data.object,
        event.data.object.payment_status === 'unpaid' ? 'pending' : 'succeeded',
      );
    case 'checkout.session.async_payment_failed':
      return ofSession(event.data.object, 'failed');
    case 'payment_intent.succeeded':
      return ofIntent(event.data.object, 'succeeded');
    case 'payment_intent.payment_failed':
      return ofIntent(event.data.object, 'failed');
    case 'charge.refunded':
      return ofRefund(event.data.object);
    default:
      return null;
  }
}

/** Whom and what it is for, as the shop wrote it down. */
function subjectOf(metadata: Stripe.Metadata | null) {
  return { userId: metadata?.user_id ?? null, courseId: metadata?.course_id ?? null };
}

function ofSession(session: Stripe.Checkout.Session, status: Told['status']): Told | null {
  const subject = subjectOf(session.metadata);
  // Something else that is sold by the same account.
  if (subject.courseId === null) return null;
  return {
    ...subject,
    userId: subject.userId ?? session.client_reference_id,
    reference: idOf(session.payment_intent) ?? session.id,
    amountCents: session.amount_total ?? 0,
    refundedCents: 0,
    currency: session.currency ?? 'eur',
    status,
  };
}

function ofIntent(intent: Stripe.PaymentIntent, status: Told['status']): Told | null {
  const subject = subjectOf(intent.metadata);
  if (subject.courseId === null) return null;
  return {
    ...subject,
    reference: intent.id,
    amountCents: intent.amount,
    refundedCents: 0,
    currency: intent.currency,
    status,
  };
}

/** Also when nothing is known of its payment: that may still come. */
function ofRefund(charge: Stripe.Charge): Told {
  return {
    ...subjectOf(charge.metadata),
    reference: idOf(charge.payment_intent) ?? charge.id,
    amountCents: charge.amount,
    refundedCents: charge.amount_refunded,
    currency: charge.currency,
    // A part given back says nothing of how the payment stands.
    status: charge.refunded ? 'refunded' : 'pending',
  };
}

function idOf(reference: string | { id: string } | null): string | null {
  return typeof reference === 'string' ? reference : (reference?.id ?? null);
}
