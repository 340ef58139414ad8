import type { RealtimeChannel } from '@supabase/supabase-js';
import { describe, expect, it } from 'vitest';
import { joined, supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase, type BuiltUser, type TestDatabase } from '../testing/index.ts';

const FORBIDDEN = '42501';
const NOT_EXPOSED = 'PGRST106';

/** A victim with one notification, and a student who is after it with plain supabase-js. */
async function scene() {
  const db = await testDatabase();
  const [victim, attacker] = [await db.a.student(), await db.a.student()];
  await tell(db, victim, 'Secret');
  return { db, victim, attacker, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() };
}

async function tell({ sql }: TestDatabase, { id }: BuiltUser, title: string): Promise<void> {
  await sql`select create_notification(${id}, 'system', ${title}, 'Text')`;
}

/** The names of all broadcasts that a channel hears, in order. */
function heardOn(channel: RealtimeChannel): string[] {
  const heard: string[] = [];
  channel.on('broadcast', { event: '*' }, ({ event }) => heard.push(event));
  return heard;
}

describe('over REST, a hostile user', () => {
  it('neither reads nor changes nor removes the notifications of another', async () => {
    await using here = await scene();
    const { db, victim, attacker } = here;
    const before = await db.sql`select * from notifications`;
    await using eve = await supabaseClient(db, attacker);
    const theirs = eve.from('notifications');
    const moment = new Date(Date.now() + 60_000).toISOString();
    const attempts = [
      await theirs.select(),
      await theirs.update({ read_at: moment }).eq('user_id', victim.id).select(),
      await theirs.update({ archived_at: moment }).eq('user_id', victim.id).select(),
      await theirs.update({ snoozed_until: moment }).eq('user_id', victim.id).select(),
      await theirs.delete().eq('user_id', victim.id).select(),
    ];
    for (const { data, error } of attempts)
      expect({ data, error }).toEqual({ data: [], error: null });
    expect([...(await db.sql`select * from notifications`)]).toEqual([...before]);

    await using nobody = await supabaseClient(db, null);
    const { error } = await nobody.from('notifications').select();
    expect(error?.code).toBe(FORBIDDEN);
  });

  it('forges none, for another or for themselves', async () => {
    await using here = await scene();
    const { db, victim, attacker } = here;
    await using eve = await supabaseClient(db, attacker);
    for (const { id } of [victim, attacker]) {
      const forged = { user_id: id, type: 'system', title: 'Forged', message: 'Text' };
      const row = await eve.from('notifications').insert(forged);
      expect(row.error?.code).toBe(FORBIDDEN);
      const call = await eve.rpc('create_notification', forged);
      expect(call.error?.code).toBe(FORBIDDEN);
    }
    expect([...(await db.sql`select title from notifications`)]).toEqual([{ title: 'Secret' }]);
  });

  it('marks their own as read, and changes nothing else of them', async () => {
    await using here = await scene();
    await using owner = await supabaseClient(here.db, here.victim);
    const own = (change: object) =>
      owner.from('notifications').update(change).eq('user_id', here.victim.id).select('title');
    for (const change of [
      { title: 'Rewritten' },
      { message: 'Rewritten' },
      { data: {} },
      { user_id: here.attacker.id },
      { created_at: '2000-01-01T00:00:00Z' },
      { woken_at: '2100-01-01T00:00:00Z' },
    ]) {
      expect((await own(change)).error?.code, JSON.stringify(change)).toBe(FORBIDDEN);
    }
    const until = { snoozed_until: '2999-01-01T00:00:00Z' };
    expect((await own(until)).error?.message).toBe('SNOOZE_OUT_OF_RANGE');
    expect((await own({ read_at: new Date().toISOString() })).data).toEqual([{ title: 'Secret' }]);
  });

  it('reads no events of another’s topic, and reaches none of the private parts', async () => {
    await using here = await scene();
    await using eve = await supabaseClient(here.db, here.attacker);
    const topic = `user:${here.victim.id}`;
    const events = await eve.rpc('live_since', { topic, after: 0 });
    expect(events.error).toMatchObject({ code: FORBIDDEN, message: 'TOPIC_FORBIDDEN' });
    const cleanup = await eve.rpc('cleanup_old_notifications');
    expect(cleanup.error?.code).toBe(FORBIDDEN);
    const stored = await eve.schema('private').from('live_events').select();
    expect(stored.error?.code).toBe(NOT_EXPOSED);
    const sent = await eve
      .schema('realtime')
      .from('messages')
      .insert({ topic, extension: 'broadcast' });
    expect(sent.error?.code).toBe(NOT_EXPOSED);
  });

  it('gives themselves no role, neither later nor at sign-up', async () => {
    await using here = await scene();
    const { db, attacker } = here;
    await using eve = await supabaseClient(db, attacker);
    const raised = await eve.from('users').update({ role: 'admin' }).eq('id', attacker.id);
    expect(raised.error?.code).toBe(FORBIDDEN);

    await using stranger = await supabaseClient(db, null);
    const { error } = await stranger.auth.signUp({
      ...{ email: 'mallory@example.test', password: 'a long enough password' },
      options: { data: { role: 'admin', first_name: 'Mallory' } },
    });
    expect(error).toBeNull();
    const roles = await db.sql`
      select role from users where email in ('mallory@example.test', ${attacker.email})`;
    expect([...roles]).toEqual([{ role: 'student' }, { role: 'student' }]);
  });
});

describe('over Realtime, a hostile user', () => {
  it('joins no topic of another', async () => {
    await using here = await scene();
    await using eve = await supabaseClient(here.db, here.attacker);
    await using nobody = await supabaseClient(here.db, null);
    const course = await here.db.a.course();
    for (const topic of [
      `user:${here.victim.id}`,
      `user:${here.victim.id}:live`,
      `course:${course.id}`,
      `course:${course.id}:staff`,
    ]) {
      for (const client of [eve, nobody]) {
        const channel = client.channel(topic, { config: { private: true } });
        await expect(joined(channel), topic).rejects.toThrow('Unauthorized');
        await client.removeChannel(channel);
      }
    }
  });

  it('hears nothing and says nothing on the public channel of the same name', async () => {
    await using here = await scene();
    const { db, victim, attacker } = here;
    const topic = `user:${victim.id}`;
    await using owner = await supabaseClient(db, victim);
    const trusted = owner.channel(topic, { config: { private: true } });
    const heardByOwner = heardOn(trusted);
    await joined(trusted);

    await using eve = await supabaseClient(db, attacker);
    const forging = eve.channel(topic, { config: { broadcast: { self: true } } });
    const heardByEve = heardOn(forging);
    await joined(forging);
    const say = (event: string) => forging.send({ type: 'broadcast', event, payload: { seq: 9 } });
    await say('forged');
    await expect.poll(() => heardByEve).toEqual(['forged']);
    await tell(db, victim, 'Told');
    await expect.poll(() => heardByOwner).toEqual(['notification.created']);
    await say('end');
    await expect.poll(() => heardByEve).toEqual(['forged', 'end']);
  });

  it('broadcasts on no data topic, their own included; only the database does', async () => {
    await using here = await scene();
    const { db, victim } = here;
    const config = { private: true, broadcast: { self: true } };
    await using listener = await supabaseClient(db, victim);
    const listening = listener.channel(`user:${victim.id}`, { config });
    const heard = heardOn(listening);
    await joined(listening);

    await using owner = await supabaseClient(db, victim);
    await using eve = await supabaseClient(db, here.attacker);
    const own = await joined(owner.channel(`user:${victim.id}`, { config }));
    await own.send({ type: 'broadcast', event: 'forged', payload: { seq: 9 } });
    for (const client of [owner, eve]) {
      const channel = client.channel(`user:${victim.id}`, { config });
      await expect(channel.httpSend('forged', { seq: 9 })).rejects.toThrow('Forbidden');
    }
    await tell(db, victim, 'Told');
    await expect.poll(() => heard).toEqual(['notification.created']);
  });
});
