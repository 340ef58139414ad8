import { describe, expect, it } from 'vitest';
import { joined, supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase, type Actor } from '../testing/index.ts';

/** Ann and Bob in a thread, Eve in another course; what each hears that has no number. */
async function scene() {
  const db = await testDatabase();
  const course = await db.a.course().taughtBy(await db.a.instructor());
  const ann = await db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
  const bob = await db.a.student().enrolledIn(course);
  const eve = await db.a.student().enrolledIn(await db.a.course());
  const [thread] = await db.sql<{ id: string }[]>`
    insert into discussion_threads (course_id, title, created_by)
    values (${course.id}, 'Joins', ${ann.id}) returning id`;
  const end = () => db[Symbol.asyncDispose]();
  return {
    ...{ db, ann, bob, eve, inThread: `thread:${thread!.id}`, toBob: `user:${bob.id}` },
    tell: (who: Actor, place: string) =>
      db.as(who, (tx) => tx`select private.tell_typing(${place})`),
    [Symbol.asyncDispose]: end,
  };
}

/** The names of those who were said to write, anywhere. */
async function writersOn(db: Awaited<ReturnType<typeof testDatabase>>) {
  const rows = await db.sql<{ name: string }[]>`
    select payload -> 'person' ->> 'name' as name from realtime.messages
    where event = 'typing' order by inserted_at`;
  return rows.map(({ name }) => name);
}

describe('that somebody is writing', () => {
  it('is heard by who reads there, with the name from the server, and takes no number', async () => {
    await using here = await scene();
    await using bob = await supabaseClient(here.db, here.bob);
    const heard: string[] = [];
    for (const topic of [here.inThread, here.toBob]) {
      await joined(
        bob
          .channel(topic, { config: { private: true } })
          .on('broadcast', { event: 'typing' }, ({ payload }) =>
            heard.push((payload as { person: { name: string } }).person.name),
          ),
      );
    }
    await here.tell(here.ann, here.inThread);
    await here.tell(here.ann, here.toBob);
    await expect.poll(() => heard).toEqual(['Ann One', 'Ann One']);
    expect(await here.db.sql`select from private.live_events where event = 'typing'`).toEqual([]);
  });

  it('is told of nobody who may not write there', async () => {
    await using here = await scene();
    const { db, ann, eve, inThread, toBob } = here;
    await expect(here.tell(eve, inThread)).rejects.toThrow('THREAD_NOT_FOUND');
    await expect(here.tell(eve, toBob)).rejects.toThrow('CONVERSATION_CLOSED');
    await expect(here.tell(ann, `course:${ann.id}`)).rejects.toThrow('TOPIC_FORBIDDEN');
    await db.sql`update discussion_threads set is_locked = true`;
    await expect(here.tell(ann, inThread)).rejects.toThrow('THREAD_LOCKED');
    expect(await writersOn(db)).toEqual([]);
  });

  it('is told neither of nor to whom doesn’t want it, nor of who is invisible', async () => {
    await using here = await scene();
    const { db, ann, bob, toBob, inThread } = here;
    await db.sql`insert into message_settings (user_id, shows_typing) values (${bob.id}, false)`;
    await here.tell(ann, toBob);
    await here.tell(bob, `user:${ann.id}`);
    await here.tell(bob, inThread);
    await db.sql`insert into presence_settings (user_id, is_invisible) values (${ann.id}, true)`;
    await here.tell(ann, inThread);
    expect(await writersOn(db)).toEqual([]);
    await db.sql`delete from presence_settings`;
    await here.tell(ann, inThread);
    expect(await writersOn(db)).toEqual(['Ann One']);
  });

  it('can’t be forged beside the server: what members say reaches nobody on the topic', async () => {
    await using here = await scene();
    await using bob = await supabaseClient(here.db, here.bob);
    await using ann = await supabaseClient(here.db, here.ann);
    const config = { private: true, broadcast: { self: true } };
    const heard: string[] = [];
    await joined(
      bob
        .channel(here.inThread, { config })
        .on('broadcast', { event: '*' }, ({ payload }) =>
          heard.push((payload as { person: { name: string } }).person.name),
        ),
    );
    const forged = { person: { id: here.bob.id, name: 'Forged', avatarUrl: null } };
    const channel = await joined(ann.channel(here.inThread, { config }));
    await channel.send({ type: 'broadcast', event: 'typing', payload: forged });
    await expect(channel.httpSend('typing', forged)).rejects.toThrow('Forbidden');
    await expect(joined(ann.channel(here.toBob, { config }))).rejects.toThrow('Unauthorized');
    await here.tell(here.ann, here.inThread);
    await expect.poll(() => heard).toEqual(['Ann One']);
  });
});
