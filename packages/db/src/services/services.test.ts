import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase, type Actor, type TestDatabase } from '../testing/index.ts';

const HASH = createHash('sha256').update('hr_secret').digest('hex');

/** The tables of this package's services and monitoring that REST must not show. */
const HIDDEN = [
  'service_keys',
  'service_key_log',
  'payment_events',
  'subscription_reminders',
  'jobs',
  'job_runs',
  'monitoring_minutes',
  'browser_errors',
];

/** Those of them that administrators may read. */
const FOR_ADMINISTRATORS = [
  'service_key_log',
  'jobs',
  'job_runs',
  'monitoring_minutes',
  'browser_errors',
];

function makeKey(db: TestDatabase, actor: Actor): Promise<{ id: string }[]> {
  return db.as(
    actor,
    (tx) => tx<{ id: string }[]>`
      select private.create_service_key(
        'Billing', 'hr_abcdef', ${HASH}, '{users:read}', 60, now() + interval '1 day'
      ) as id`,
  );
}

it('lets administrators make and revoke keys, and nobody else', async () => {
  await using db = await testDatabase();
  const admin = await db.a.admin();
  for (const other of [await db.a.student(), await db.a.instructor()]) {
    await expect(makeKey(db, other)).rejects.toThrow('ROLE_FORBIDDEN');
  }
  const [key] = await makeKey(db, admin);
  const [used] = await db.sql`select * from private.use_service_key(${HASH})`;
  expect(used).toMatchObject({ id: key?.id, scopes: ['users:read'], revoked: false });
  const revoke = () =>
    db.as(admin, (tx) => tx`select private.revoke_service_key(${key?.id ?? ''}) as done`);
  expect(await revoke()).toMatchObject([{ done: true }]);
  expect(await revoke()).toMatchObject([{ done: false }]);
  const log = await db.sql`select action, actor_id from private.service_key_log order by id`;
  expect(log).toMatchObject([
    { action: 'created', actor_id: admin.id },
    { action: 'revoked', actor_id: admin.id },
  ]);
});

it('keeps the log and what a key was given, whoever wants to change them', async () => {
  await using db = await testDatabase();
  await makeKey(db, await db.a.admin());
  // Role postgres itself, which no policy holds.
  for (const attempt of [
    "update private.service_key_log set action = 'nothing'",
    'delete from private.service_key_log',
    'truncate private.service_key_log',
    'delete from private.service_keys',
    "update private.service_keys set scopes = '{payments:write}'",
    "update private.service_keys set key_hash = repeat('0', 64)",
  ]) {
    await expect(db.sql.unsafe(attempt), attempt).rejects.toMatchObject({ code: '42501' });
  }
  await db.sql`update private.service_keys set revoked_at = now()`;
  await expect(db.sql`update private.service_keys set revoked_at = null`).rejects.toMatchObject({
    code: '42501',
  });
});

it('shows nothing of it to a hostile client', async () => {
  await using db = await testDatabase();
  const admin = await db.a.admin();
  await makeKey(db, admin);
  const eve = await db.a.instructor();
  for (const table of FOR_ADMINISTRATORS) {
    const seen = await db.as(eve, (tx) => tx.unsafe(`select * from private.${table}`));
    expect(seen, table).toHaveLength(0);
  }
  const attempts = [
    'select key_hash from private.service_keys',
    'select * from private.payment_events',
    'select * from private.subscription_reminders',
    "update private.jobs set statement = 'drop table users'",
    'delete from private.job_runs',
    'insert into private.service_key_log (key_id, action) select gen_random_uuid(), $$ok$$',
    "select private.run_job('tidy-monitoring')",
    `select private.use_service_key('${HASH}')`,
    `select private.enroll_for('${eve.id}', gen_random_uuid())`,
    "select private.record_payment('{}')",
    `select private.extend_subscription('${eve.id}', 'pro', now(), 'x', 'y')`,
    "select private.add_monitoring('student', '{}')",
    'select private.remind_subscriptions()',
  ];
  for (const person of [eve, admin]) {
    for (const attempt of attempts) {
      const made = db.as(person, (tx) => tx.unsafe(attempt));
      await expect(made, attempt).rejects.toMatchObject({ code: '42501' });
    }
  }
  await using client = await supabaseClient(db, admin);
  for (const table of HIDDEN) {
    const { error } = await client.schema('private').from(table).select();
    expect(error?.code, table).toBe('PGRST106');
    expect((await client.from(table).select()).error, table).not.toBeNull();
  }
});

it('enrolls for a service as often as it likes, and again after a cancellation', async () => {
  await using db = await testDatabase();
  const teacher = await db.a.instructor();
  const course = await db.a.course({ priceCents: 4900 }).taughtBy(teacher);
  const ann = await db.a.student();
  const enroll = async () => {
    const [row] = await db.sql<{ told: { isNew: boolean; status: string } }[]>`
      select private.enroll_for(${ann.id}, ${course.id}) as told`;
    return row?.told;
  };
  expect(await enroll()).toMatchObject({ isNew: true, status: 'active' });
  expect(await enroll()).toMatchObject({ isNew: false });
  await db.sql`update enrollments set status = 'cancelled'`;
  expect(await enroll()).toMatchObject({ isNew: true, status: 'active' });
  const [told] = await db.sql`
    select count(*)::integer as events from private.live_events
    where topic = ${`user:${ann.id}`} and event = 'enrollment.created'`;
  expect(told).toEqual({ events: 2 });
  const draft = await db.a.course({ status: 'draft' });
  await expect(db.sql`select private.enroll_for(${ann.id}, ${draft.id})`).rejects.toThrow(
    'COURSE_NOT_FOUND',
  );
});
