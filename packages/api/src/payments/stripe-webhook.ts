import type { Stripe } from 'stripe';
import type { AsUser, UserTransaction } from '../server/database.ts';
import { ApiError } from '../server/errors.ts';
import type { PaymentOutcome } from '../services/contract.ts';
import { recordSubscription } from '../subscriptions/queries.ts';
import { subscriptionOf } from '../subscriptions/stripe-events.ts';
import { recordPayment } from './queries.ts';
import { paymentOf } from './stripe-events.ts';

/** Events of ours are a few kilobytes. */
const BODY_LENGTH_MAX = 256 * 1024;

/** What came of a webhook; `ignored` where the event is of no kind that concerns us. */
export type WebhookOutcome = PaymentOutcome | 'ignored';

/**
 * Takes events of Stripe's: verified by their own library, counted once, in whatever order.
 * @throws ApiError WEBHOOK_NOT_CONFIGURED, WEBHOOK_SIGNATURE_INVALID or BODY_TOO_LARGE
 */
export function createStripeWebhook(
  asUser: AsUser,
  secret: string | undefined,
): (request: Request, requestId: string) => Promise<WebhookOutcome> {
  return async (request, requestId) => {
    if (secret === undefined) throw new ApiError('WEBHOOK_NOT_CONFIGURED');
    const body = await request.text();
    if (body.length > BODY_LENGTH_MAX) throw new ApiError('BODY_TOO_LARGE');
    const event = await verified(body, request.headers.get('stripe-signature') ?? '', secret);
    const record = recorderOf(event);
    if (record === null) return 'ignored';
    return asUser({ service: 'stripe', requestId }, 'write', record);
  };
}

/** What writes down what an event tells; null where it concerns nothing of ours. */
function recorderOf(
  event: Stripe.Event,
): ((tx: UserTransaction) => Promise<PaymentOutcome>) | null {
  const payment = paymentOf(event);
  if (payment) return (tx) => recordPayment(tx, payment);
  const subscription = subscriptionOf(event);
  return subscription && ((tx) => recordSubscription(tx, subscription));
}

async function verified(body: string, signature: string, secret: string): Promise<Stripe.Event> {
  // Loaded with the first event: most portals never get one.
  const { default: stripe } = await import('stripe');
  try {
    return await stripe.webhooks.constructEventAsync(body, signature, secret);
  } catch (cause) {
    throw new ApiError('WEBHOOK_SIGNATURE_INVALID', { cause });
  }
}
