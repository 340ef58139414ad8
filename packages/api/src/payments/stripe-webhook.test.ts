import Stripe from 'stripe';
import { expect, it } from 'vitest';
import { classroom, PORTAL, type Classroom } from '../testing/classroom.ts';

const SECRET = 'whsec_of_the_tests';

/** An event as Stripe sends it, signed with its own library. */
async function deliver(room: Classroom, event: object, secret = SECRET, secondsAgo = 0) {
  const payload = JSON.stringify(event);
  const timestamp = Math.floor(Date.now() / 1000) - secondsAgo;
  const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  const response = await room.api.stripeWebhook(
    new Request(`${PORTAL}/api/webhooks/stripe`, {
      method: 'POST',
      headers: { 'stripe-signature': signature },
      body: payload,
    }),
  );
  const body = (await response.json()) as { outcome?: string; error?: { code: string } };
  return { status: response.status, outcome: body.outcome ?? body.error?.code };
}

/** What Stripe tells of one payment of 49 euros. */
function eventsOf(userId: string, courseId: string) {
  const event = (id: string, type: string, object: object) => ({
    ...{ id, type, object: 'event', created: 1_790_000_000, data: { object } },
  });
  const charge = {
    id: 'ch_1',
    payment_intent: 'pi_1',
    amount: 4900,
    currency: 'eur',
    metadata: {},
  };
  return {
    paid: event('evt_paid', 'checkout.session.completed', {
      ...{ id: 'cs_1', payment_intent: 'pi_1', payment_status: 'paid', amount_total: 4900 },
      ...{ currency: 'eur', metadata: { user_id: userId, course_id: courseId } },
    }),
    partlyBack: event('evt_part', 'charge.refunded', {
      ...charge,
      ...{ refunded: false, amount_refunded: 1000 },
    }),
    allBack: event('evt_back', 'charge.refunded', {
      ...charge,
      ...{ refunded: true, amount_refunded: 4900 },
    }),
    otherProduct: event('evt_other', 'payment_intent.succeeded', {
      ...{ id: 'pi_9', amount: 100, currency: 'eur', metadata: {} },
    }),
    unknown: event('evt_unknown', 'customer.created', { id: 'cus_1' }),
  };
}

async function scene(stripeWebhookSecret?: string) {
  const room = await classroom({ stripeWebhookSecret });
  const instructor = await room.db.a.instructor();
  const course = await room.db.a.course({ priceCents: 4900 }).taughtBy(instructor);
  const ann = await room.db.a.student();
  const status = async () => {
    const [row] = await room.db.sql<{ status: string }[]>`select status from enrollments`;
    return row?.status;
  };
  return { room, instructor, ann, status, events: eventsOf(ann.id, course.id) };
}

it('enrolls and tells who has paid, once, and ends it when all is refunded', async () => {
  const { room: opened, instructor, ann, status, events } = await scene(SECRET);
  await using room = opened;
  expect(await deliver(room, events.paid)).toEqual({ status: 200, outcome: 'enrolled' });
  expect(await deliver(room, events.paid)).toEqual({ status: 200, outcome: 'repeated' });
  expect(await status()).toBe('active');
  const titles = async (person: { id: string; email: string }) =>
    (await (await room.as(person)).notifications.list.query({})).data.items.map(
      ({ title }) => title,
    );
  expect(await titles(ann)).toEqual(['Payment received']);
  expect((await titles(instructor)).sort()).toEqual(['New Student Enrolled', 'Payment Received']);
  expect(await deliver(room, events.partlyBack)).toMatchObject({ outcome: 'recorded' });
  expect(await status()).toBe('active');
  expect(await deliver(room, events.allBack)).toMatchObject({ outcome: 'refunded' });
  expect(await status()).toBe('cancelled');
  expect(await titles(ann)).toEqual(['Payment refunded', 'Payment received']);
});

it('takes a refund that comes before its payment', async () => {
  const { room: opened, ann, status, events } = await scene(SECRET);
  await using room = opened;
  expect(await deliver(room, events.allBack)).toMatchObject({ outcome: 'refunded' });
  expect(await deliver(room, events.paid)).toMatchObject({ outcome: 'recorded' });
  expect(await status()).toBeUndefined();
  const [payment] = await room.db.sql`select user_id, status, refunded_cents from payments`;
  expect(payment).toEqual({ user_id: ann.id, status: 'refunded', refunded_cents: 4900 });
});

it('keeps a subscription by what Stripe tells of it and of its invoices', async () => {
  const { room: opened, ann } = await scene(SECRET);
  await using room = opened;
  const now = Math.floor(Date.now() / 1000);
  const metadata = { user_id: ann.id };
  const event = (id: string, type: string, created: number, object: object) => ({
    ...{ id, type, created, object: 'event', data: { object } },
  });
  const subscription = (status: string, more: object = {}) => ({
    ...{ id: 'sub_1', object: 'subscription', status, metadata, start_date: now },
    ...{ cancel_at_period_end: false, canceled_at: null, ended_at: null },
    items: { data: [{ current_period_end: now + 86_400, price: { lookup_key: 'pro' } }] },
    ...more,
  });
  const invoice = {
    ...{ id: 'in_1', object: 'invoice' },
    lines: { data: [{ period: { start: now, end: now + 30 * 86_400 } }] },
    parent: { subscription_details: { subscription: 'sub_1', metadata } },
  };
  const updated = event('evt_2', 'customer.subscription.updated', now, subscription('active'));
  const created = event('evt_1', 'customer.subscription.created', now, subscription('incomplete'));
  const kept = async () => {
    const rows = await room.db.sql<{ plan: string; status: string; days: string }[]>`
      select plan, status, round(extract(epoch from expires_at) - ${now}) / 86400 as days
      from subscriptions where user_id = ${ann.id}`;
    return rows.map((row) => [row.plan, row.status, Number(row.days)]);
  };
  // Within one second, and the wrong way round.
  expect(await deliver(room, updated)).toEqual({ status: 200, outcome: 'recorded' });
  expect(await deliver(room, created)).toEqual({ status: 200, outcome: 'recorded' });
  expect(await deliver(room, updated)).toEqual({ status: 200, outcome: 'repeated' });
  expect(await kept()).toEqual([['pro', 'active', 1]]);
  await deliver(room, event('evt_3', 'invoice.paid', now, invoice));
  expect(await kept()).toEqual([['pro', 'active', 30]]);
  await deliver(room, event('evt_4', 'invoice.payment_failed', now, { ...invoice, id: 'in_2' }));
  const gone = subscription('canceled', { ended_at: now + 172_800, canceled_at: now });
  await deliver(room, event('evt_5', 'customer.subscription.deleted', now + 1, gone));
  expect(await kept()).toEqual([['pro', 'cancelled', 2]]);
  const { data } = await (await room.as(ann)).notifications.list.query({});
  expect(data.items.map(({ title }) => title)).toEqual(['Subscription ended', 'Payment failed']);
  const foreign = subscription('active', { id: 'sub_2', metadata: {} });
  expect(
    await deliver(room, event('evt_6', 'customer.subscription.created', now, foreign)),
  ).toMatchObject({ outcome: 'ignored' });
});

it('believes nobody but Stripe, and ignores what is not for a course', async () => {
  const { room: opened, events } = await scene(SECRET);
  await using room = opened;
  const forged = { status: 400, outcome: 'WEBHOOK_SIGNATURE_INVALID' };
  expect(await deliver(room, events.paid, 'whsec_of_another')).toEqual(forged);
  // Stripe's library takes no signature that is older than five minutes.
  expect(await deliver(room, events.paid, SECRET, 600)).toEqual(forged);
  for (const event of [events.otherProduct, events.unknown]) {
    expect(await deliver(room, event)).toEqual({ status: 200, outcome: 'ignored' });
  }
  expect(await room.db.sql`select from payments`).toHaveLength(0);
});

it('says what to set where it is not set up', async () => {
  const { room: opened, events } = await scene();
  await using room = opened;
  expect(await deliver(room, events.paid)).toEqual({
    status: 503,
    outcome: 'WEBHOOK_NOT_CONFIGURED',
  });
});
