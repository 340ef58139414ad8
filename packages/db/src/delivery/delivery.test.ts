import type postgres from 'postgres';
import { expect, it } from 'vitest';
import { testDatabase, type BuiltUser, type TestDatabase } from '../testing/index.ts';

type Wishes = {
  timeZone?: string;
  quiet?: [from: string, to: string];
  digest?: 'off' | 'daily' | 'weekly';
  weekday?: number;
  hour?: number;
};

/** Someone with quiet hours or a digest. */
async function reader(db: TestDatabase, wishes: Wishes): Promise<BuiltUser> {
  const user = await db.a.student();
  const { timeZone = 'Europe/Vienna', quiet, digest = 'off', weekday = 1, hour = 8 } = wishes;
  await db.sql`update users set time_zone = ${timeZone} where id = ${user.id}`;
  await db.as(
    user,
    (tx) => tx`
      insert into notification_settings (
        user_id, has_quiet_hours, quiet_from, quiet_to, digest, digest_weekday, digest_hour
      )
      values (
        ${user.id}, ${quiet !== undefined}, ${quiet?.[0] ?? '22:00'}, ${quiet?.[1] ?? '07:00'},
        ${digest}, ${weekday}, ${hour}
      )`,
  );
  return user;
}

/** The digest is due now, and tells what came in the last day. */
async function becomesDue({ sql }: TestDatabase, user: BuiltUser): Promise<void> {
  await sql`
    update notification_settings
    set digest_due_at = now() - interval '1 second', digest_since = now() - interval '1 day'
    where user_id = ${user.id}`;
}

async function tell({ sql }: TestDatabase, user: BuiltUser, type: string, title: string) {
  await sql`
    insert into notifications (user_id, type, title, message, created_at)
    values (${user.id}, ${type}, ${title}, 'Text', now() - interval '2 minutes')`;
}

async function make({ sql }: TestDatabase): Promise<number> {
  const [row] = await sql<{ made: number }[]>`select private.make_digests() as made`;
  return row?.made ?? -1;
}

type Claimed = { id: string; email: string; total: number; items: { title: string }[] };

async function claim(sql: postgres.Sql): Promise<Claimed | null> {
  const [row] = await sql<{ digest: Claimed | null }[]>`select private.claim_digest() as digest`;
  return row?.digest ?? null;
}

it('is quiet by the clock where one is, over midnight and when the clock is changed', async () => {
  await using db = await testDatabase();
  const user = await reader(db, {});
  const cases: [from: string, to: string, at: string, until: string | null][] = [
    // Over midnight, the beginning included and the end not.
    ['22:00', '07:00', '2026-11-02T20:59:59Z', null],
    ['22:00', '07:00', '2026-11-02T21:00:00Z', '2026-11-03T06:00'],
    ['22:00', '07:00', '2026-11-03T05:59:59Z', '2026-11-03T06:00'],
    ['22:00', '07:00', '2026-11-03T06:00:00Z', null],
    // Within a day.
    ['12:00', '13:30', '2026-11-02T11:15:00Z', '2026-11-02T12:30'],
    ['12:00', '13:30', '2026-11-02T12:30:00Z', null],
    // In summer the same clock is another moment.
    ['22:00', '07:00', '2026-07-02T20:00:00Z', '2026-07-03T05:00'],
    // The nights in which the clock goes forward, and back (02:30 twice).
    ['22:00', '07:00', '2026-03-28T21:00:00Z', '2026-03-29T05:00'],
    ['22:00', '07:00', '2026-03-29T05:00:00Z', null],
    ['22:00', '07:00', '2026-10-24T20:00:00Z', '2026-10-25T06:00'],
    ['22:00', '02:30', '2026-10-25T00:15:00Z', '2026-10-25T01:30'],
    ['22:00', '02:30', '2026-10-25T00:45:00Z', null],
    ['22:00', '02:30', '2026-10-25T01:45:00Z', null],
  ];
  for (const [from, to, at, until] of cases) {
    const [row] = await db.sql`
      with settings as (
        update notification_settings
        set has_quiet_hours = true, quiet_from = ${from}, quiet_to = ${to}
        where user_id = ${user.id}
        returning notification_settings.*
      ), own as (select settings::text::public.notification_settings as own from settings)
      select
        private.is_quiet(own, 'Europe/Vienna', ${at}) as quiet,
        left(private.iso_time(private.not_quiet_from(own, 'Europe/Vienna', ${at})), 16) as until
      from own`;
    const expected = { quiet: until !== null, until: until ?? at.slice(0, 16) };
    expect(row, `${from}-${to} at ${at}`).toEqual(expected);
  }
});

it('is quiet on the days one has chosen; a night belongs to the day before', async () => {
  await using db = await testDatabase();
  const user = await reader(db, { quiet: ['22:00', '07:00'] });
  await db.as(user, (tx) => tx`update notification_settings set quiet_days = '{5,6}'`);
  // 6 November 2026 is a Friday.
  const cases = {
    '2026-11-06T05:59:00Z': false,
    '2026-11-06T21:00:00Z': true,
    '2026-11-08T05:59:00Z': true,
    '2026-11-08T06:00:00Z': false,
    '2026-11-08T21:00:00Z': false,
  };
  for (const [at, quiet] of Object.entries(cases)) {
    const rows = await db.sql`
      select private.is_quiet(settings, 'Europe/Vienna', ${at}) as quiet
      from notification_settings as settings where user_id = ${user.id}`;
    expect(rows, at).toEqual([{ quiet }]);
  }
  for (const days of ['{}', '{0}', '{1,8}', '{1,null}']) {
    const set = db.as(user, (tx) => tx`update notification_settings set quiet_days = ${days}`);
    await expect(set, days).rejects.toThrow(/notification_settings_have_quiet_days/);
  }
});

it('says when a digest is due by the clock of its reader, also when that is changed', async () => {
  await using db = await testDatabase();
  const next = async (user: BuiltUser, zone: string, after: string) => {
    const [row] = await db.sql<{ due: Date }[]>`
      select private.iso_time(private.next_digest_at(settings, ${zone}, ${after})) as due
      from notification_settings as settings where user_id = ${user.id}`;
    return String(row?.due).slice(0, 16);
  };
  const daily = await reader(db, { digest: 'daily', hour: 2 });
  // 02:00 doesn't exist on 29 March: an hour later. On 25 October it comes twice, and counts once.
  expect(await next(daily, 'Europe/Vienna', '2026-03-28T01:00:00Z')).toBe('2026-03-29T01:00');
  expect(await next(daily, 'Europe/Vienna', '2026-03-29T01:00:00Z')).toBe('2026-03-30T00:00');
  expect(await next(daily, 'Europe/Vienna', '2026-10-24T00:00:00Z')).toBe('2026-10-25T01:00');
  expect(await next(daily, 'Europe/Vienna', '2026-10-25T01:00:00Z')).toBe('2026-10-26T01:00');
  const weekly = await reader(db, { digest: 'weekly', weekday: 1, hour: 8 });
  expect(await next(weekly, 'Pacific/Auckland', '2026-11-18T00:00:00Z')).toBe('2026-11-22T19:00');
  expect(await next(weekly, 'America/New_York', '2026-11-18T00:00:00Z')).toBe('2026-11-23T13:00');

  await db.as(weekly, (tx) => tx`update users set time_zone = 'Asia/Tokyo'`);
  const [moved] = await db.sql`
    select extract(hour from digest_due_at at time zone 'Asia/Tokyo')::integer as hour,
      extract(isodow from digest_due_at at time zone 'Asia/Tokyo')::integer as weekday
    from notification_settings where user_id = ${weekly.id}`;
  expect(moved).toEqual({ hour: 8, weekday: 1 });
});

it('tells what is unread and wanted by e-mail, each once', async () => {
  await using db = await testDatabase();
  const ann = await reader(db, { digest: 'daily' });
  await db.sql`
    insert into notification_preferences (user_id, type, channel, enabled)
    values (${ann.id}, 'mention', 'email', true), (${ann.id}, 'workshop', 'email', false)`;
  for (const type of ['announcement', 'mention', 'workshop', 'message', 'subscription']) {
    await tell(db, ann, type, type);
  }
  await db.sql`update notifications set read_at = now() where type = 'subscription'`;
  await becomesDue(db, ann);
  expect(await make(db)).toBe(1);
  const digest = await claim(db.sql);
  expect(digest).toMatchObject({ email: ann.email, total: 2 });
  expect(digest?.items.map(({ title }) => title).sort()).toEqual(['announcement', 'mention']);
  await db.sql`select private.end_digest(${digest!.id})`;
  expect(await claim(db.sql)).toBeNull();

  // The same day has no second one; the next tells only what is new; without news there is none.
  const again = await db.sql`
    update notification_settings set digest = 'daily' where user_id = ${ann.id}
    returning digest_due_at > now() as later`;
  expect(again[0]).toEqual({ later: true });
  await db.sql`update notification_settings set digest_due_at = now(), digest_period = null`;
  expect(await make(db)).toBe(0);
  await tell(db, ann, 'announcement', 'later');
  await becomesDue(db, ann);
  expect(await make(db), 'the same period').toBe(0);
});

it('is made and taken exactly once by twenty at a time', async () => {
  await using db = await testDatabase();
  const readers = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const user = await reader(db, { digest: 'daily' });
      await tell(db, user, 'announcement', 'News');
      await becomesDue(db, user);
      return user;
    }),
  );
  const workers = Array.from({ length: 20 }, () => db.sql);
  const made = await Promise.all(workers.map(() => make(db)));
  expect(made.reduce((sum, count) => sum + count, 0)).toBe(readers.length);
  const taken: string[] = [];
  await Promise.all(
    workers.map(async (sql) => {
      for (let digest = await claim(sql); digest; digest = await claim(sql)) {
        taken.push(digest.email);
        await sql`select private.end_digest(${digest.id})`;
      }
    }),
  );
  expect(taken.sort()).toEqual(readers.map(({ email }) => email).sort());
});

it('is taken again when its sender failed or died, five times, and not when it is turned off', async () => {
  await using db = await testDatabase();
  const ann = await reader(db, { digest: 'daily' });
  await tell(db, ann, 'announcement', 'News');
  await becomesDue(db, ann);
  await make(db);
  const timePasses = () => db.sql`update private.notification_digests set retry_at = now()`;
  const first = await claim(db.sql);
  expect(await claim(db.sql), 'leased').toBeNull();
  await timePasses(); // Its sender has died.
  for (let attempt = 2; attempt <= 5; attempt += 1) {
    expect((await claim(db.sql))?.id).toBe(first?.id);
    await db.sql`select private.end_digest(${first!.id}, 'Connection refused')`;
    expect(await claim(db.sql), 'waits').toBeNull();
    await timePasses();
  }
  expect([...(await db.sql`select status, error from private.notification_digests`)]).toEqual([
    { status: 'failed', error: 'Connection refused' },
  ]);

  const bob = await reader(db, { digest: 'daily' });
  await tell(db, bob, 'announcement', 'News');
  await becomesDue(db, bob);
  await make(db);
  const [{ key } = { key: '' }] = await db.sql<{ key: string }[]>`
    select digest_key as key from notification_settings where user_id = ${bob.id}`;
  const [stopped] = await db.as(null, (tx) => tx`select stop_digest(${key}) as stopped`);
  expect(stopped).toEqual({ stopped: true });
  expect(await claim(db.sql)).toBeNull();
  const [nobody] = await db.as(null, (tx) => tx`select stop_digest(gen_random_uuid()) as stopped`);
  expect(nobody).toEqual({ stopped: false });
});

it('waits for the end of quiet hours', async () => {
  await using db = await testDatabase();
  const ann = await reader(db, { digest: 'daily', timeZone: 'UTC' });
  await tell(db, ann, 'announcement', 'News');
  await becomesDue(db, ann);
  const quiet = (from: string, to: string) => db.sql`
    update notification_settings
    set has_quiet_hours = true,
      quiet_from = (now() at time zone 'UTC' + ${from}::interval)::time,
      quiet_to = (now() at time zone 'UTC' + ${to}::interval)::time`;
  await quiet('-1 hour', '1 hour');
  expect(await make(db)).toBe(0);
  await quiet('2 hours', '3 hours');
  expect(await make(db)).toBe(1);
  await quiet('-1 hour', '1 hour');
  expect(await claim(db.sql)).toBeNull();
  await quiet('2 hours', '3 hours');
  expect(await claim(db.sql)).toMatchObject({ email: ann.email });
});
