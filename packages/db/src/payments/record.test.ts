import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing/index.ts';

/** What Stripe tells of a payment of 49 euros, as the webhook hands it on. */
const EVENTS = {
  pending: { status: 'pending' },
  failed: { status: 'failed' },
  paid: { status: 'succeeded' },
  halfBack: { status: 'succeeded', refundedCents: 2000, userId: null, courseId: null },
  allBack: { status: 'refunded', refundedCents: 4900, userId: null, courseId: null },
};

type Kind = keyof typeof EVENTS;

/** A paid course, a student, and a provider that tells of a payment of hers. */
async function counter(db: TestDatabase) {
  const course = await db.a.course({ priceCents: 4900 }).taughtBy(await db.a.instructor());
  return {
    course,
    async pay(student: { id: string }, reference: string, kinds: readonly Kind[]) {
      const outcomes: string[] = [];
      for (const kind of kinds) {
        const told = {
          ...{ provider: 'stripe', eventId: `${reference} ${kind}`, type: kind, reference },
          ...{ userId: student.id, courseId: course.id, amountCents: 4900, currency: 'eur' },
          ...{ happenedAt: '2026-11-21T10:00:00Z', refundedCents: 0 },
          ...EVENTS[kind],
        };
        const [row] = await db.sql<{ outcome: string }[]>`
          select private.record_payment(${JSON.stringify(told)}::text::jsonb) as outcome`;
        outcomes.push(row?.outcome ?? '');
      }
      return outcomes;
    },
    async enrollment(student: { id: string }) {
      const [row] = await db.sql<{ status: string }[]>`
        select status from enrollments where user_id = ${student.id}`;
      return row?.status ?? 'none';
    },
  };
}

it('enrolls who has paid, once, and ends it when all is given back', async () => {
  await using db = await testDatabase();
  const { pay, enrollment } = await counter(db);
  const ann = await db.a.student();
  expect(await pay(ann, 'pi_1', ['pending', 'paid', 'paid'])).toEqual([
    'recorded',
    'enrolled',
    'repeated',
  ]);
  expect(await enrollment(ann)).toBe('active');
  expect(await pay(ann, 'pi_1', ['halfBack'])).toEqual(['recorded']);
  expect(await enrollment(ann)).toBe('active');
  expect(await pay(ann, 'pi_1', ['allBack'])).toEqual(['refunded']);
  expect(await enrollment(ann)).toBe('cancelled');
  const told = await db.sql`
    select title from notifications where user_id = ${ann.id} order by created_at`;
  expect(told).toMatchObject([{ title: 'Payment received' }, { title: 'Payment refunded' }]);
  expect(await pay(ann, 'pi_2', ['paid'])).toEqual(['enrolled']);
  expect(await enrollment(ann)).toBe('active');
});

it('comes to the same end in whatever order events arrive, and however often', async () => {
  await using db = await testDatabase();
  const { pay, enrollment } = await counter(db);
  let number = 0;
  const order = fc.shuffledSubarray([...(Object.keys(EVENTS) as Kind[]), ...(['paid'] as const)], {
    minLength: 1,
  });
  await fc.assert(
    fc.asyncProperty(order, async (kinds) => {
      const ann = await db.a.student();
      const reference = `pi_any_${(number += 1)}`;
      await pay(ann, reference, kinds);
      const [row] = await db.sql`
        select status, refunded_cents from payments where provider_reference = ${reference}`;
      const has = (kind: Kind) => kinds.includes(kind);
      const status = has('allBack')
        ? 'refunded'
        : has('paid') || has('halfBack')
          ? 'succeeded'
          : has('failed')
            ? 'failed'
            : 'pending';
      const refunded_cents = has('allBack') ? 4900 : has('halfBack') ? 2000 : 0;
      expect(row).toEqual({ status, refunded_cents });
      const hasPaid = has('paid') || (has('halfBack') && (has('pending') || has('failed')));
      const enrolled = await enrollment(ann);
      if (has('allBack')) expect(enrolled).not.toBe('active');
      else expect(enrolled).toBe(hasPaid ? 'active' : 'none');
    }),
    { numRuns: 40 },
  );
});

it('keeps a course that was finished, and one that was paid for twice', async () => {
  await using db = await testDatabase();
  const { pay, enrollment } = await counter(db);
  const ann = await db.a.student();
  await pay(ann, 'pi_1', ['paid']);
  await pay(ann, 'pi_2', ['paid']);
  await pay(ann, 'pi_1', ['allBack']);
  expect(await enrollment(ann)).toBe('active');
  await db.sql`update enrollments set status = 'completed', completed_at = now()`;
  await pay(ann, 'pi_2', ['allBack']);
  expect(await enrollment(ann)).toBe('completed');
});

it('records a payment that is nobody’s, for an operator to look at', async () => {
  await using db = await testDatabase();
  const { pay, course } = await counter(db);
  const nobody = { id: '00000000-0000-4000-8000-000000000000' };
  expect(await pay(nobody, 'pi_1', ['paid'])).toEqual(['unmatched']);
  await db.sql`update courses set status = 'archived' where id = ${course.id}`;
  expect(await pay(await db.a.student(), 'pi_2', ['paid'])).toEqual(['unmatched']);
  const [waiting] = await db.sql`
    select depth from private.queue_depths() where queue = 'unmatched_payments'`;
  expect(waiting).toMatchObject({ depth: '2' });
  expect(await db.sql`select from payments`).toHaveLength(2);
});
