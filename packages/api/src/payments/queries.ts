import { sql } from 'drizzle-orm';
import type { PaymentOutcome } from '../services/contract.ts';
import type { UserTransaction } from '../server/database.ts';
import { onlyRow } from '../server/fragments.ts';

/** What a provider tells of a payment, in our words. */
export type PaymentEvent = {
  provider: string;
  eventId: string;
  /** The provider's own word for what happened. */
  type: string;
  /** The provider's clock. */
  happenedAt: string;
  /** The provider's name for the payment. */
  reference: string;
  /** Null where this event doesn't say. */
  userId: string | null;
  courseId: string | null;
  amountCents: number;
  refundedCents: number;
  currency: string;
  status: 'pending' | 'failed' | 'succeeded' | 'refunded';
};

/** Takes what was told of a payment: once, whatever the order in which events come. */
export async function recordPayment(
  tx: UserTransaction,
  event: PaymentEvent,
): Promise<PaymentOutcome> {
  const rows = await tx.execute<{ outcome: PaymentOutcome }>(sql`
    select private.record_payment(${JSON.stringify(event)}::text::jsonb) as "outcome"`);
  return onlyRow(rows).outcome;
}
