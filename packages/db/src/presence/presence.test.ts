import { describe, expect, it } from 'vitest';
import { supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase, type Actor } from '../testing/index.ts';

async function classroom() {
  const db = await testDatabase();
  const course = await db.a.course().taughtBy(await db.a.instructor());
  const topic = `course:${course.id}`;
  const ann = await db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
  const bob = await db.a.student().enrolledIn(course);
  const end = () => db[Symbol.asyncDispose]();
  return {
    db,
    course,
    topic,
    ann,
    bob,
    beat: (who: Actor, status: string) =>
      db.as(who, (tx) => tx`select private.keep_presence(${topic}, ${status})`),
    seenBy: (who: Actor) =>
      db.as(who, async (tx) => {
        const [row] = await tx<{ seen: { onlineCount: number; people: object[] | null } }[]>`
          select private.presence_of(${topic}) as seen`;
        return row!.seen;
      }),
    /** What was told of presence, as `name status` or a number. */
    async told() {
      const rows = await db.sql<{ said: string }[]>`
        select coalesce(
          (payload -> 'person' ->> 'name') || ' ' || (payload ->> 'status'), payload ->> 'onlineCount'
        ) as said
        from private.live_events
        where topic = ${topic} and event like 'presence.%' order by seq`;
      return rows.map(({ said }) => said);
    },
    age: (seconds: number) => db.sql`
      update private.presence_leases
      set seen_at = seen_at - ${seconds} * interval '1 second',
        online_at = online_at - ${seconds} * interval '1 second'`,
    [Symbol.asyncDispose]: end,
  };
}

describe('presence', () => {
  it('is one person however many tabs, with the name from the server', async () => {
    await using here = await classroom();
    await here.beat(here.ann, 'online');
    await here.beat(here.ann, 'online');
    await here.beat(here.ann, 'away'); // another tab, behind this one
    expect(await here.seenBy(here.bob)).toMatchObject({
      onlineCount: 1,
      people: [{ person: { name: 'Ann One' }, status: 'online' }],
    });
    expect(await here.told()).toEqual(['Ann One online']);
  });

  it('is away when no tab was in front for a while, and online again at once', async () => {
    await using here = await classroom();
    await here.beat(here.ann, 'online');
    await here.age(41);
    await here.beat(here.ann, 'away');
    await here.beat(here.ann, 'online');
    expect(await here.told()).toEqual(['Ann One online', 'Ann One away', 'Ann One online']);
  });

  it('ends for a killed browser, and for a closed tab unless the next page comes', async () => {
    await using here = await classroom();
    const sweep = () => here.db.sql`select private.end_ghost_presence()`;
    await here.beat(here.ann, 'online');
    await here.beat(here.ann, 'leaving');
    await sweep();
    await here.beat(here.ann, 'online'); // a reload: nothing flickered
    expect(await here.told()).toEqual(['Ann One online']);
    await here.beat(here.ann, 'leaving');
    await here.age(24);
    await sweep();
    expect(await here.told()).toEqual(['Ann One online', 'Ann One offline']);
    await here.beat(here.ann, 'online');
    await here.age(46);
    await sweep();
    expect((await here.seenBy(here.bob)).onlineCount).toBe(0);
    const [last] = await here.db.sql`select status from student_presence`;
    expect(last).toEqual({ status: 'offline' });
  });

  it('is not shown of who wants to be invisible', async () => {
    await using here = await classroom();
    await here.beat(here.ann, 'online');
    await here.db.as(
      here.ann,
      (tx) => tx`
        insert into presence_settings (user_id, is_invisible) values (${here.ann.id}, true)`,
    );
    await here.beat(here.ann, 'online');
    await here.beat(here.ann, 'online');
    expect(await here.told()).toEqual(['Ann One online', 'Ann One offline']);
  });

  it('is a number beyond a hundred, told once a second however many come and go', async () => {
    await using here = await classroom();
    await here.db.sql`
      with people as (
        insert into auth.users (id, email, aud, role)
        select gen_random_uuid(), 'p' || at || '@example.test', 'authenticated', 'authenticated'
        from generate_series(1, 100) as at
        returning id
      )
      select count(*) from people`;
    await here.db.sql`
      insert into private.presence_leases
      select ${here.topic}, id, 'online', now(), now() from users where email like 'p%@%'`;
    await here.beat(here.ann, 'online');
    await here.beat(here.bob, 'online');
    expect(await here.told()).toEqual([]);
    await here.db.sql`select private.tell_crowds()`;
    await here.db.sql`select private.tell_crowds()`;
    expect(await here.told()).toEqual(['102']);
    expect(await here.seenBy(here.ann)).toEqual({ onlineCount: 102, people: null });
  });

  it('cannot be claimed for another, nor where one has no right to be', async () => {
    await using here = await classroom();
    const eve = await here.db.a.student();
    await expect(here.beat(eve, 'online')).rejects.toThrow('TOPIC_FORBIDDEN');
    await expect(here.seenBy(eve)).rejects.toThrow('TOPIC_FORBIDDEN');
    await using client = await supabaseClient(here.db, here.bob);
    const row = { user_id: here.ann.id, course_id: here.course.id, status: 'online' };
    expect((await client.from('student_presence').insert(row)).error).not.toBeNull();
    expect((await client.schema('private').from('presence_leases').select()).error).not.toBeNull();
    const hide = { user_id: here.ann.id, is_invisible: true };
    expect((await client.from('presence_settings').insert(hide)).error).not.toBeNull();
  });

  it('counts the time in a workshop', async () => {
    await using here = await classroom();
    const [workshop] = await here.db.sql<{ id: string }[]>`
      insert into workshops (course_id, title, starts_at, ends_at)
      values (${here.course.id}, 'Dice', now() - interval '5 minutes', now() + interval '1 hour')
      returning id`;
    const topic = `workshop:${workshop!.id}`;
    await here.db.sql`
      insert into workshop_registrations (workshop_id, user_id)
      values (${workshop!.id}, ${here.ann.id})`;
    const beat = () =>
      here.db.as(here.ann, (tx) => tx`select private.keep_presence(${topic}, 'online')`);
    await beat();
    await here.db.sql`
      update workshop_presence set last_seen_at = last_seen_at - interval '30 seconds'`;
    await beat();
    const [row] = await here.db.sql<{ seconds: number }[]>`
      select private.seconds_present(${workshop!.id}, ${here.ann.id}) as seconds`;
    expect(row!.seconds).toBe(30);
  });
});

describe('the contacts of a person', () => {
  it('are told when they come and go, where they share a course and hide nothing', async () => {
    await using here = await classroom();
    const { db, ann, bob } = here;
    const stranger = await db.a.student();
    await db.sql`
      insert into messages (sender_id, recipient_id, content)
      values (${ann.id}, ${bob.id}, 'Hi'), (${stranger.id}, ${bob.id}, 'From a course that ended')`;
    const beat = (who: Actor, status: string) =>
      db.as(who, (tx) => tx`select private.keep_presence(${`user:${who.id}`}, ${status})`);
    const seen = (who: Actor, person: Actor) =>
      db.as(who, async (tx) => {
        const [row] = await tx<{ items: { status: string; lastSeenAt: string | null }[] }[]>`
          select private.contacts_of(${person.id}) as items`;
        return row!.items.map(({ status }) => status);
      });
    const told = async (who: Actor) =>
      (
        await db.sql<{ status: string }[]>`
          select payload ->> 'status' as status from private.live_events
          where topic = ${`user:${who.id}`} and event = 'contact.changed' order by seq`
      ).map(({ status }) => status);

    await beat(bob, 'online');
    await beat(ann, 'online');
    await beat(stranger, 'online');
    expect(await told(bob)).toEqual(['online']);
    expect(await seen(bob, ann)).toEqual(['online']);
    expect(await seen(bob, stranger)).toEqual([]);
    expect(await seen(stranger, ann)).toEqual([]);

    const hide = (isHidden: boolean) => db.sql`
      insert into presence_settings (user_id, is_invisible) values (${ann.id}, ${isHidden})
      on conflict (user_id) do update set is_invisible = excluded.is_invisible`;
    await hide(true);
    await beat(ann, 'online');
    await beat(bob, 'leaving');
    await beat(bob, 'online');
    expect(await seen(bob, ann)).toEqual(['offline']);
    expect(await seen(ann, bob)).toEqual(['online']);
    await hide(false);
    await beat(ann, 'online');
    await here.age(46);
    await beat(bob, 'online');
    await db.sql`select private.end_ghost_presence()`;
    expect(await told(bob)).toEqual(['online', 'offline', 'online', 'offline']);
    const claim = db.as(
      ann,
      (tx) => tx`select private.keep_presence(${`user:${bob.id}`}, 'online')`,
    );
    await expect(claim).rejects.toThrow('TOPIC_FORBIDDEN');
    await db.sql`insert into message_blocks (blocker_id, blocked_id) values (${ann.id}, ${bob.id})`;
    expect(await seen(bob, ann)).toEqual([]);
  });
});
