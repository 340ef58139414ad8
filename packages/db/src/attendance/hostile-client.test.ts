import { describe, expect, it } from 'vitest';
import { joined, supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase } from '../testing/index.ts';

const FORBIDDEN = '42501';

/** A workshop that Ann is registered for, and Eve, who is in its course. */
async function scene() {
  const db = await testDatabase();
  const course = await db.a.course().taughtBy(await db.a.instructor());
  const workshop = await db.a.workshop(course, { capacity: 1 });
  const ann = await db.a.student().enrolledIn(course);
  const eve = await db.a.student().enrolledIn(course);
  await db.sql`
    insert into workshop_registrations (workshop_id, user_id) values (${workshop.id}, ${ann.id})`;
  return { db, workshop, ann, eve, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() };
}

describe('a hostile client', () => {
  it('gives itself no place, checks nobody in, and changes no workshop', async () => {
    await using here = await scene();
    await using eve = await supabaseClient(here.db, here.eve);
    const own = { workshop_id: here.workshop.id, user_id: here.eve.id };
    const registrations = eve.from('workshop_registrations');
    const workshops = eve.from('workshops');
    for (const attempt of [
      () => registrations.insert(own),
      () => registrations.insert({ ...own, user_id: here.ann.id, status: 'checked_in' }),
      () => registrations.update({ status: 'cancelled' }).eq('user_id', here.ann.id),
      () => registrations.delete().eq('user_id', here.ann.id),
      () => workshops.delete().eq('id', here.workshop.id),
      () => eve.from('attendance_log').insert(own),
      () => eve.from('attendance_log').update({ reason: 'x' }).eq('number', 1),
      () => eve.from('workshop_presence').insert(own),
    ]) {
      expect((await attempt()).error?.code, attempt.toString()).toBe(FORBIDDEN);
    }
    const changed = await workshops
      .update({ capacity: 99 })
      .eq('id', here.workshop.id)
      .select('id');
    expect(changed.data).toEqual([]);
    const planned = await workshops.insert({
      ...{ course_id: here.workshop.courseId, title: 'Mine', created_by: here.eve.id },
      ...{ starts_at: '2030-01-01T10:00:00Z', ends_at: '2030-01-01T11:00:00Z' },
    });
    expect(planned.error?.code).toBe(FORBIDDEN);
    const rows = await here.db.sql`select user_id, status from workshop_registrations`;
    expect([...rows]).toEqual([{ user_id: here.ann.id, status: 'registered' }]);
  });

  it('reads no one else’s registration, presence or attendance, no secret and no code', async () => {
    await using here = await scene();
    await using eve = await supabaseClient(here.db, here.eve);
    for (const table of ['workshop_registrations', 'workshop_presence', 'attendance_log']) {
      expect(await eve.from(table).select(), table).toMatchObject({ data: [], error: null });
    }
    expect((await eve.schema('private').from('workshop_secrets').select()).error).not.toBeNull();
    for (const name of ['workshop_code', 'check_in', 'check_in_by_hand', 'hmac_sha256']) {
      expect((await eve.rpc(name)).error, name).not.toBeNull();
    }
    for (const topic of [`workshop:${here.workshop.id}`, `workshop:${here.workshop.id}:staff`]) {
      const channel = eve.channel(topic, { config: { private: true } });
      await expect(joined(channel), topic).rejects.toThrow('Unauthorized');
    }
  });

  it('learns no meeting’s address without a place, and opens no other’s calendar', async () => {
    await using here = await scene();
    await using eve = await supabaseClient(here.db, here.eve);
    await here.db.sql`update workshops set meeting_url = 'https://meet.example.test/dice'`;
    const address = await eve.from('workshops').select('meeting_url');
    expect(address.error?.code).toBe(FORBIDDEN);
    const token = () =>
      here.db.as(here.ann, async (tx) => {
        const [row] = await tx<{ token: string }[]>`select private.renew_calendar_token() as token`;
        return row!.token;
      });
    const first = await token();
    const feed = async (secret: string) => {
      const answer = await eve.rpc('calendar_feed', { token: secret });
      expect(answer.error).toBeNull();
      return answer.data as { items: unknown[] } | null;
    };
    // Who has the secret has the calendar: Ann's, with her place and where it is.
    expect((await feed(first))?.items).toMatchObject([
      { id: here.workshop.id, status: 'confirmed', meetingUrl: 'https://meet.example.test/dice' },
    ]);
    for (const guess of ['', 'null', here.ann.id, first.slice(0, -1), `${first.slice(0, -1)}%`]) {
      expect(await feed(guess), guess).toBeNull();
    }
    const second = await token();
    expect(second).toMatch(/^[\da-f]{64}$/);
    expect(await feed(first)).toBeNull();
    await here.db.sql`update users set is_active = false where id = ${here.ann.id}`;
    expect(await feed(second)).toBeNull();
    expect((await eve.schema('private').from('calendar_feeds').select()).error).not.toBeNull();
    for (const name of ['renew_calendar_token', 'calendar_token', 'calendar_event']) {
      expect((await eve.rpc(name)).error, name).not.toBeNull();
    }
  });
});
