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
