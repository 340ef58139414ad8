import type { Stripe } from 'stripe';
import type { SubscriptionEvent } from './queries.ts';

type Told = Omit<SubscriptionEvent, 'provider' | 'eventId' | 'type' | 'happenedAt'>;

/**
 * What an event of Stripe's says of somebody's subscription; null when it concerns none of ours.
 * Whoever makes the subscription puts `user_id`, and `plan` where the price doesn't name it, into its
 * metadata, which Stripe repeats on its invoices.
 */
export function subscriptionOf(event: Stripe.Event): SubscriptionEvent | null {
  const told = toldBy(event);
  if (told === null) return null;
  return {
    provider: 'stripe',
    eventId: event.id,
    type: event.type,
    happenedAt: timeOf(event.created),
    ...told,
  };
}

function toldBy(event: Stripe.Event): Told | null {
  switch (event.type) {
    case 'customer.subscription.created':
      return ofSubscription(event.data.object, 0);
    case 'customer.subscription.updated':
      return ofSubscription(event.data.object, 10);
    case 'customer.subscription.deleted':
      return ofSubscription(event.data.object, 20);
    case 'invoice.paid':
      return ofInvoice(event.data.object, 'paid');
    case 'invoice.payment_failed':
      return ofInvoice(event.data.object, 'failed');
    default:
      return null;
  }
}

/** Later in a subscription's life is the later of two events of one second. */
const STATUS_RANKS = { pending: 0, past_due: 1, active: 2, cancelled: 3 };

function ofSubscription(subscription: Stripe.Subscription, rank: number): Told | null {
  const { user_id: userId, plan } = subscription.metadata;
  // Something else that is sold by the same account.
  if (userId === undefined) return null;
  const { data: items } = subscription.items;
  const price = items[0]?.price;
  const status = statusOf(subscription);
  const endsAt = Math.max(0, ...items.map((item) => item.current_period_end));
  return {
    kind: 'state',
    rank: rank + STATUS_RANKS[status],
    reference: subscription.id,
    userId,
    plan: plan ?? price?.lookup_key ?? price?.nickname ?? price?.id ?? null,
    status,
    startedAt: timeOf(subscription.start_date),
    expiresAt: timeOf(status === 'cancelled' ? (subscription.ended_at ?? endsAt) : endsAt),
    cancelledAt: subscription.canceled_at === null ? null : timeOf(subscription.canceled_at),
    renews: !subscription.cancel_at_period_end,
    invoice: null,
  };
}

function statusOf({ status }: Stripe.Subscription): NonNullable<Told['status']> {
  switch (status) {
    case 'active':
    case 'trialing':
      return 'active';
    case 'incomplete':
      return 'pending';
    case 'canceled':
    case 'incomplete_expired':
      return 'cancelled';
    // Not paid, or paused. What Stripe may add one day gives nothing away.
    default:
      return 'past_due';
  }
}

function ofInvoice(invoice: Stripe.Invoice, kind: 'paid' | 'failed'): Told | null {
  const details = invoice.parent?.subscription_details;
  const userId = details?.metadata?.user_id;
  if (!details || userId === undefined) return null;
  const { subscription } = details;
  return {
    kind,
    rank: 0,
    reference: typeof subscription === 'string' ? subscription : subscription.id,
    userId,
    plan: details.metadata?.plan ?? null,
    status: null,
    startedAt: null,
    expiresAt: timeOf(Math.max(0, ...invoice.lines.data.map(({ period }) => period.end))),
    cancelledAt: null,
    renews: null,
    invoice: invoice.id ?? null,
  };
}

/** Stripe counts seconds. */
function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
