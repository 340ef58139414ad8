import { sql } from 'drizzle-orm';
import type { PaymentOutcome } from '../services/contract.ts';
import type { UserTransaction } from '../server/database.ts';
import { onlyRow } from '../server/fragments.ts';

/** What a provider tells of a subscription, in our words. Null where an event doesn't say. */
export type SubscriptionEvent = {
  provider: string;
  eventId: string;
  /** The provider's own word for what happened. */
  type: string;
  /** Of what it tells: the subscription as it was then, or an invoice that was paid or wasn't. */
  kind: 'state' | 'paid' | 'failed';
  /** Which of two events of the same second is the later one. */
  rank: number;
  /** The provider's clock. */
  happenedAt: string;
  /** The provider's name for the subscription. */
  reference: string;
  userId: string;
  plan: string | null;
  /** `pending`: its first payment is still to come. */
  status: 'pending' | 'active' | 'past_due' | 'cancelled' | null;
  startedAt: string | null;
  /** Until when it is paid; of one that has ended, when that was. */
  expiresAt: string | null;
  cancelledAt: string | null;
  renews: boolean | null;
  /** The invoice that it tells of. */
  invoice: string | null;
};

/** Takes what was told of a subscription: once, whatever the order in which events come. */
export async function recordSubscription(
  tx: UserTransaction,
  event: SubscriptionEvent,
): Promise<PaymentOutcome> {
  const rows = await tx.execute<{ outcome: PaymentOutcome }>(sql`
    select private.record_subscription(${JSON.stringify(event)}::text::jsonb) as "outcome"`);
  return onlyRow(rows).outcome;
}
