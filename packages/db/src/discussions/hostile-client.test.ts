import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { joined, supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase } from '../testing/index.ts';

const FORBIDDEN = '42501';

/** A thread with a message, a fellow student, and a stranger who is in another course. */
async function scene() {
  const db = await testDatabase();
  const iris = await db.a.instructor();
  const course = await db.a.course().taughtBy(iris);
  const ann = await db.a.student().enrolledIn(course);
  const bob = await db.a.student().enrolledIn(course);
  const eve = await db.a.student().enrolledIn(await db.a.course());
  const thread = await openThread(course.id, ann.id);
  async function openThread(courseId: string, createdBy: string) {
    const [row] = await db.sql<{ id: string }[]>`
      insert into discussion_threads (course_id, title, created_by)
      values (${courseId}, 'Joins', ${createdBy}) returning id`;
    return row!.id;
  }
  const message = randomUUID();
  await db.sql`
    insert into thread_messages (id, thread_id, sender_id, content)
    values (${message}, ${thread}, ${ann.id}, 'A secret')`;
  const end = () => db[Symbol.asyncDispose]();
  return { db, iris, course, ann, bob, eve, thread, message, [Symbol.asyncDispose]: end };
}

describe('over REST', () => {
  it('the guides’ own snippet sends a message', async () => {
    await using here = await scene();
    await using bob = await supabaseClient(here.db, here.bob);
    const { error } = await bob
      .from('thread_messages')
      .insert([{ thread_id: here.thread, sender_id: here.bob.id, content: 'Hello' }]);
    expect(error).toBeNull();
    const { data } = await bob.from('thread_messages').select('number, content').order('number');
    expect(data).toEqual([
      { number: 1, content: 'A secret' },
      { number: 2, content: 'Hello' },
    ]);
  });

  it('nobody writes as another, in another course, in a closed thread, or out of turn', async () => {
    await using here = await scene();
    await using bob = await supabaseClient(here.db, here.bob);
    await using eve = await supabaseClient(here.db, here.eve);
    const own = { thread_id: here.thread, sender_id: here.bob.id, content: 'Mine' };
    const attempts = [
      bob.from('thread_messages').insert({ ...own, sender_id: here.ann.id }),
      bob.from('thread_messages').insert({ ...own, sender_id: null }),
      bob.from('thread_messages').insert({ ...own, number: 1 }),
      bob.from('thread_messages').insert({ ...own, created_at: '2000-01-01T00:00:00Z' }),
      bob.from('thread_messages').insert({ ...own, mentions: [here.ann.id] }),
      bob.from('thread_messages').insert({ ...own, id: here.message }),
      bob.from('thread_messages').insert({ ...own, parent_id: randomUUID() }),
      bob.from('thread_messages').insert({ ...own, content: ' \n ' }),
      bob.from('thread_messages').insert({ ...own, content: 'x'.repeat(20_001) }),
      eve.from('thread_messages').insert({ ...own, sender_id: here.eve.id }),
    ];
    for (const { error } of await Promise.all(attempts)) expect(error).not.toBeNull();
    await here.db.sql`update discussion_threads set is_active = false`;
    const late = await bob.from('thread_messages').insert(own);
    expect(late.error).toMatchObject({ code: FORBIDDEN, message: 'THREAD_CLOSED' });
    const rows = await here.db.sql`select content from thread_messages`;
    expect([...rows]).toEqual([{ content: 'A secret' }]);
  });

  it('nobody changes, empties, endorses or deletes what another wrote', async () => {
    await using here = await scene();
    await using bob = await supabaseClient(here.db, here.bob);
    const theirs = () => bob.from('thread_messages');
    expect((await theirs().update({ content: 'x' }).eq('id', here.message).select()).data).toEqual(
      [],
    );
    for (const change of [
      { deleted_at: '2026-01-01T00:00:00Z' },
      { endorsed_by: here.bob.id },
      { sender_id: here.bob.id },
      { thread_id: here.thread },
    ]) {
      const { error } = await theirs().update(change).eq('id', here.message);
      expect(error?.code, JSON.stringify(change)).toBe(FORBIDDEN);
    }
    expect((await theirs().delete().eq('id', here.message)).error?.code).toBe(FORBIDDEN);
    const threads = bob.from('discussion_threads');
    expect((await threads.update({ is_pinned: true }).eq('id', here.thread).select()).data).toEqual(
      [],
    );
    const moved = await threads.update({ course_id: here.course.id }).eq('id', here.thread);
    expect(moved.error?.code).toBe(FORBIDDEN);
    const opened = { course_id: here.course.id, title: 'Forged', created_by: here.ann.id };
    expect((await threads.insert(opened)).error?.code).toBe(FORBIDDEN);
  });

  it('a stranger reads nothing: no thread, message, revision, reaction, report or event', async () => {
    await using here = await scene();
    const { db, bob, message } = here;
    await db.sql`update thread_messages set content = 'Edited' where id = ${message}`;
    await db.sql`
      insert into thread_message_reactions values (${message}, ${bob.id}, '👍')`;
    await db.as(bob, (tx) => tx`select private.report_thread_message(${message}, 'spam', '')`);
    await using eve = await supabaseClient(db, here.eve);
    await using nobody = await supabaseClient(db, null);
    for (const table of [
      'discussion_threads',
      'thread_messages',
      'thread_message_revisions',
      'thread_message_reactions',
      'thread_message_reports',
      'thread_readers',
    ]) {
      expect(await eve.from(table).select(), table).toMatchObject({ data: [], error: null });
      expect((await nobody.from(table).select()).error?.code, table).toBe(FORBIDDEN);
    }
    const searched = await eve.from('thread_messages').select().textSearch('content', 'secret');
    expect(searched.data).toEqual([]);
    const events = await eve.rpc('live_since', { topic: `thread:${here.thread}`, after: 0 });
    expect(events.error?.message).toBe('TOPIC_FORBIDDEN');
  });

  it('nobody reacts as another, to what they cannot read, or with whatever they like', async () => {
    await using here = await scene();
    await using bob = await supabaseClient(here.db, here.bob);
    await using eve = await supabaseClient(here.db, here.eve);
    const reaction = { message_id: here.message, user_id: here.bob.id, emoji: '👍' };
    const react = (client: typeof bob, change: object) =>
      client.from('thread_message_reactions').insert({ ...reaction, ...change });
    expect((await react(bob, { user_id: here.ann.id })).error?.code).toBe(FORBIDDEN);
    expect((await react(eve, { user_id: here.eve.id })).error?.code).toBe(FORBIDDEN);
    expect((await react(bob, { emoji: '<img src=x>' })).error).not.toBeNull();
    expect((await react(bob, {})).error).toBeNull();
  });
});

describe('over Realtime', () => {
  it('a stranger joins neither the thread nor what is beside it', async () => {
    await using here = await scene();
    await using eve = await supabaseClient(here.db, here.eve);
    for (const topic of [`thread:${here.thread}`, `thread:${here.thread}:live`]) {
      const channel = eve.channel(topic, { config: { private: true } });
      await expect(joined(channel), topic).rejects.toThrow('Unauthorized');
    }
  });

  it('a member forges no message on the data topic; only the database speaks there', async () => {
    await using here = await scene();
    const topic = `thread:${here.thread}`;
    const config = { private: true, broadcast: { self: true } };
    await using ann = await supabaseClient(here.db, here.ann);
    const heard: string[] = [];
    await joined(
      ann
        .channel(topic, { config })
        .on('broadcast', { event: '*' }, ({ event }) => heard.push(event)),
    );
    await using bob = await supabaseClient(here.db, here.bob);
    const channel = await joined(bob.channel(topic, { config }));
    await channel.send({ type: 'broadcast', event: 'forged', payload: { seq: 9 } });
    await expect(channel.httpSend('forged', { seq: 9 })).rejects.toThrow('Forbidden');
    await bob
      .from('thread_messages')
      .insert({ thread_id: here.thread, sender_id: here.bob.id, content: 'Real' });
    await expect.poll(() => heard).toEqual(['message.created']);
  });
});
