import { expect, it } from 'vitest';
import { supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase } from '../testing/index.ts';

const FORBIDDEN = '42501';

it('lets a hostile user neither read nor change what another wants, nor plan digests', async () => {
  await using db = await testDatabase();
  const course = await db.a.course();
  const [victim, attacker] = [await db.a.student().enrolledIn(course), await db.a.student()];
  await db.sql`insert into notification_settings (user_id, digest) values (${victim.id}, 'daily')`;
  await db.sql`
    insert into notification_preferences (user_id, type, channel, course_id, enabled)
    values (${victim.id}, 'mention', 'email', ${course.id}, true)`;
  const before = await db.sql`select * from notification_settings`;
  await using eve = await supabaseClient(db, attacker);

  for (const table of ['notification_settings', 'notification_preferences']) {
    const theirs = eve.from(table);
    const change = table === 'notification_settings' ? { digest: 'off' } : { enabled: false };
    expect(await theirs.select('user_id')).toMatchObject({ data: [], error: null });
    const changed = await theirs.update(change).eq('user_id', victim.id).select('user_id');
    expect(changed).toMatchObject({ data: [], error: null });
    const forged = {
      user_id: victim.id,
      ...(table.endsWith('settings') ? {} : { type: 'system' }),
    };
    expect((await theirs.insert({ ...forged, ...change })).error?.code, table).toBe(FORBIDDEN);
  }
  const removed = await eve.from('notification_preferences').delete().eq('user_id', victim.id);
  expect(removed.error).toBeNull();
  expect((await db.sql`select from notification_preferences`).length).toBe(1);

  // Nor of a course that they take no part in, nor what is the database's to say.
  const elsewhere = { user_id: attacker.id, type: 'mention', course_id: course.id, enabled: true };
  const joined = await eve.from('notification_preferences').insert(elsewhere);
  expect(joined.error?.code).toBe(FORBIDDEN);
  const own = eve.from('notification_settings');
  const due = await own.insert({ user_id: attacker.id, digest_due_at: '2020-01-01T00:00:00Z' });
  expect(due.error?.code).toBe(FORBIDDEN);
  expect((await own.insert({ user_id: attacker.id, digest: 'weekly' })).error).toBeNull();
  const since = await own.update({ digest_since: '2020-01-01' }).eq('user_id', attacker.id);
  expect(since.error?.code).toBe(FORBIDDEN);
  expect((await own.select('digest_key')).error?.code).toBe(FORBIDDEN);
  expect((await own.delete().eq('user_id', attacker.id)).error?.code).toBe(FORBIDDEN);
  const bad = await own.update({ digest_hour: 24 }).eq('user_id', attacker.id);
  expect(bad.error?.message).toContain('notification_settings_have_an_hour');
  expect((await eve.rpc('stop_digest', { key: attacker.id })).data).toBe(false);
  for (const call of ['claim_digest', 'make_digests', 'end_digest']) {
    expect((await eve.schema('private').rpc(call)).error?.code).toBe('PGRST106');
  }
  const after = await db.sql`select * from notification_settings where user_id = ${victim.id}`;
  expect([...after]).toEqual([...before]);
});
