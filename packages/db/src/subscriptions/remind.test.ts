import { expect, it } from 'vitest';
import { testDatabase, type TestDatabase } from '../testing/index.ts';

/** Runs the job, and gives what the last run said to whom. */
async function remind(db: TestDatabase): Promise<string[]> {
  await db.sql`delete from notifications`;
  await db.sql`select private.remind_subscriptions()`;
  const rows = await db.sql<
    { message: string }[]
  >`select message from notifications order by message`;
  return rows.map(({ message }) =>
    message.replace(/^Your subscription expires in (.+)\. .*$/, '$1'),
  );
}

/** As if so much time had passed. */
async function pass(db: TestDatabase, time: string): Promise<void> {
  await db.sql`
    update subscriptions
    set started_at = started_at - ${time}::interval, expires_at = expires_at - ${time}::interval`;
  await db.sql`
    update private.subscription_reminders set expires_at = expires_at - ${time}::interval`;
}

async function extend(db: TestDatabase, person: { id: string }, until: string): Promise<void> {
  await db.sql`
    select private.extend_subscription(${person.id}, 'pro', now() + ${until}::interval, 'test', null)`;
}

it('reminds 7, 3 and 1 days before, once each, and anew after a renewal', async () => {
  await using db = await testDatabase();
  const ann = await db.a.student();
  await extend(db, ann, '8 days');
  expect(await remind(db)).toEqual([]);
  await pass(db, '25 hours');
  expect(await remind(db)).toEqual(['7 days']);
  expect(await remind(db)).toEqual([]);
  // The scheduler stood still for days: what fits now is sent, and nothing twice.
  await pass(db, '5 days 2 hours');
  expect(await remind(db)).toEqual(['3 days']);
  await pass(db, '1 day');
  expect(await remind(db)).toEqual(['a day']);
  await extend(db, ann, '7 days');
  expect(await remind(db)).toEqual(['7 days']);
  await pass(db, '8 days');
  expect(await remind(db)).toEqual([]);
  expect(await db.sql`select status from subscriptions`).toMatchObject([{ status: 'expired' }]);
});

it('leaves out who doesn’t want it, and never shortens a subscription', async () => {
  await using db = await testDatabase();
  const ann = await db.a.student();
  await extend(db, ann, '2 days');
  await extend(db, ann, '1 day');
  await db.sql`
    insert into notification_preferences (user_id, type, enabled)
    values (${ann.id}, 'subscription', false)`;
  expect(await remind(db)).toEqual([]);
  const [{ days } = { days: 0 }] = await db.sql<{ days: number }[]>`
    select round(extract(epoch from expires_at - now()) / 86400)::integer as days
    from subscriptions`;
  expect(days).toBe(2);
});
