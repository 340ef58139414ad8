import fc from 'fast-check';
import { expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing/index.ts';

const at = (day: number, hour = 0) => new Date(Date.UTC(2030, 0, day, hour)).toISOString();

const STATE = { kind: 'state', plan: 'pro', startedAt: at(1), renews: true, invoice: null };
const INVOICE = { ...STATE, startedAt: null, status: null, rank: 0, renews: null };

/** What Stripe tells of a subscription, as the webhook hands it on: begun, renewed, failed, ended. */
const EVENTS = {
  created: { ...STATE, rank: 0, status: 'pending', happenedAt: at(1), expiresAt: at(31) },
  // In the same second as it was created, and sent first perhaps.
  begun: { ...STATE, rank: 12, status: 'active', happenedAt: at(1), expiresAt: at(31) },
  paid: { ...INVOICE, kind: 'paid', invoice: 'in_1', happenedAt: at(1), expiresAt: at(31) },
  failed: { ...INVOICE, kind: 'failed', invoice: 'in_2', happenedAt: at(31), expiresAt: at(61) },
  late: { ...STATE, rank: 11, status: 'past_due', happenedAt: at(31, 1), expiresAt: at(61) },
  renewed: { ...INVOICE, kind: 'paid', invoice: 'in_2', happenedAt: at(32), expiresAt: at(61) },
  back: { ...STATE, rank: 12, status: 'active', happenedAt: at(32), expiresAt: at(61) },
  ended: {
    ...{ ...STATE, rank: 23, status: 'cancelled', happenedAt: at(40), expiresAt: at(40) },
    ...{ cancelledAt: at(40), renews: false },
  },
};

type Name = keyof typeof EVENTS;
const NAMES = Object.keys(EVENTS) as Name[];

/** Tells the events in this order; gives what came of each. */
async function tell(db: TestDatabase, userId: string, reference: string, names: readonly Name[]) {
  const outcomes: string[] = [];
  for (const name of names) {
    const told = {
      ...{ provider: 'stripe', eventId: `${reference} ${name}`, type: name, reference, userId },
      ...EVENTS[name],
    };
    const [row] = await db.sql<{ outcome: string }[]>`
      select private.record_subscription(${JSON.stringify(told)}::text::jsonb) as outcome`;
    outcomes.push(row?.outcome ?? '');
  }
  return outcomes;
}

async function subscriptionOf(db: TestDatabase, reference: string) {
  const [row] = await db.sql`
    select
      user_id, plan, status, started_at, expires_at, cancelled_at, renews_automatically
    from subscriptions where provider_reference = ${reference}`;
  return row ?? null;
}

const titlesOf = async (db: TestDatabase, person: { id: string }) =>
  (
    await db.sql<{ title: string }[]>`
      select title from notifications where user_id = ${person.id} order by created_at`
  ).map(({ title }) => title);

it('follows a subscription from its first payment to its end', async () => {
  await using db = await testDatabase();
  const ann = await db.a.student();
  const status = async () => (await subscriptionOf(db, 'sub_1'))?.status as string | undefined;
  expect(await tell(db, ann.id, 'sub_1', ['created'])).toEqual(['recorded']);
  expect(await status()).toBeUndefined();
  await tell(db, ann.id, 'sub_1', ['begun', 'paid']);
  expect(await status()).toBe('active');
  await tell(db, ann.id, 'sub_1', ['failed', 'late']);
  expect(await status()).toBe('past_due');
  await tell(db, ann.id, 'sub_1', ['renewed', 'back']);
  expect(await status()).toBe('active');
  expect(await tell(db, ann.id, 'sub_1', ['late', 'failed'])).toEqual(['repeated', 'repeated']);
  expect(await status()).toBe('active');
  await tell(db, ann.id, 'sub_1', ['ended']);
  expect(await status()).toBe('cancelled');
  expect(await titlesOf(db, ann)).toEqual(['Payment failed', 'Subscription ended']);
  const nobody = '00000000-0000-4000-8000-000000000000';
  expect(await tell(db, nobody, 'sub_2', ['begun'])).toEqual(['unmatched']);
  expect(await subscriptionOf(db, 'sub_2')).toBeNull();
});

it('comes to the same end in whatever order events arrive, and however often', async () => {
  await using db = await testDatabase();
  const ann = await db.a.student();
  let number = 0;
  const some = fc.shuffledSubarray(NAMES, { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(some, async (names) => {
      const [inOrder, asTheyCame] = [`sub_a${(number += 1)}`, `sub_b${number}`];
      const ordered = NAMES.filter((name) => names.includes(name));
      await tell(db, ann.id, inOrder, ordered);
      await tell(db, ann.id, asTheyCame, [...names, ...names.slice(0, 2)]);
      expect(await subscriptionOf(db, asTheyCame)).toEqual(await subscriptionOf(db, inOrder));
    }),
    { numRuns: 60 },
  );
});

it('reminds nobody whose subscription is renewed by itself', async () => {
  await using db = await testDatabase();
  const ann = await db.a.student();
  await tell(db, ann.id, 'sub_1', ['begun', 'paid']);
  const remind = async (renews: boolean) => {
    await db.sql`
      update subscriptions
      set started_at = now() - interval '1 day', expires_at = now() + interval '2 days',
        renews_automatically = ${renews}`;
    await db.sql`select private.remind_subscriptions()`;
    return titlesOf(db, ann);
  };
  expect(await remind(true)).toEqual([]);
  expect(await remind(false)).toEqual(['Subscription Reminder']);
});
