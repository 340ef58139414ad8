import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { joined, supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase, type Actor, type TestDatabase } from '../testing/index.ts';

/** Two students of a course, their instructor, and a stranger. */
async function campus() {
  const db = await testDatabase();
  const iris = await db.a.instructor();
  const course = await db.a.course().taughtBy(iris);
  const ann = await db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
  const bob = await db.a.student({ firstName: 'Bob', lastName: 'Two' }).enrolledIn(course);
  const eve = await db.a.student().enrolledIn(await db.a.course());
  const end = () => db[Symbol.asyncDispose]();
  return { db, course, iris, ann, bob, eve, [Symbol.asyncDispose]: end };
}

const write = (db: TestDatabase, from: Actor, to: Actor, content = 'Hi', id = randomUUID()) =>
  db.as(
    from,
    (tx) => tx`
      insert into messages (id, sender_id, recipient_id, content)
      values (${id}, ${from.id}, ${to.id}, ${content})`,
  );

const mark = (db: TestDatabase, who: Actor, other: Actor, read: number | null, goBack = false) =>
  db.as(who, async (tx) => {
    const [row] = await tx<{ conversation: Record<string, unknown> }[]>`
      select private.mark_conversation(${other.id}, ${read}, 99, ${goBack}) as conversation`;
    return row!.conversation;
  });

/** The sum of all that was told of someone's unread messages. */
async function toldUnread({ sql }: TestDatabase, who: Actor): Promise<number> {
  const [row] = await sql<{ sum: number }[]>`
    select coalesce(sum((payload ->> 'unreadDelta')::integer), 0)::integer as sum
    from private.live_events
    where topic = ${`user:${who.id}`}
      and event in ('direct_message.created', 'conversation.changed')`;
  return row!.sum;
}

describe('a direct message', () => {
  it('is numbered without holes when both write at once, and written once when sent again', async () => {
    await using here = await campus();
    const { db, ann, bob } = here;
    const id = randomUUID();
    await Promise.all([
      ...Array.from({ length: 10 }, () => write(db, ann, bob)),
      ...Array.from({ length: 10 }, () => write(db, bob, ann)),
      ...Array.from({ length: 5 }, () => write(db, ann, bob, 'Once', id)),
    ]);
    const rows = await db.sql<{ number: number }[]>`select number from messages order by number`;
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 21 }, (_, at) => at + 1));
    expect(await db.sql`select from conversations`).toHaveLength(1);
    for (const who of [ann, bob]) {
      const [row] = await db.sql<{ unread: number }[]>`
        select last_number - read_number as unread
        from conversations join conversation_readers on conversation_id = conversations.id
        where user_id = ${who.id}`;
      expect(await toldUnread(db, who)).toBe(row!.unread);
    }
  });

  it('goes between those who share a course, unless it is switched off or blocked', async () => {
    await using here = await campus();
    const { db, ann, bob, eve, iris, course } = here;
    const closed = 'CONVERSATION_CLOSED';
    await expect(write(db, eve, ann)).rejects.toThrow(closed);
    await expect(write(db, ann, eve)).rejects.toThrow(closed);
    await write(db, iris, ann);
    await write(db, await db.a.admin(), eve);
    await db.as(
      iris,
      (tx) => tx`
        insert into course_message_settings (course_id, students_may_write)
        values (${course.id}, false)`,
    );
    await expect(write(db, ann, bob)).rejects.toThrow(closed);
    await write(db, ann, iris);
    await db.as(
      ann,
      (tx) => tx`
        insert into message_blocks (blocker_id, blocked_id) values (${ann.id}, ${iris.id})`,
    );
    await expect(write(db, iris, ann)).rejects.toThrow(closed);
    await expect(write(db, ann, iris)).rejects.toThrow(closed);
  });

  it('holds up whoever writes more than thirty a minute', async () => {
    await using here = await campus();
    for (let turn = 0; turn < 30; turn += 1) await write(here.db, here.ann, here.bob);
    await expect(write(here.db, here.ann, here.bob)).rejects.toThrow('TOO_MANY_REQUESTS');
  });

  it('rings once until it is read, and its notification is read with it', async () => {
    await using here = await campus();
    const { db, ann, bob } = here;
    await write(db, ann, bob);
    await write(db, ann, bob);
    const unread = () => db.sql`
      select title from notifications where user_id = ${bob.id} and read_at is null`;
    expect([...(await unread())]).toEqual([{ title: 'New messages from Ann One' }]);
    await mark(db, bob, ann, 2);
    expect([...(await unread())]).toEqual([]);
    await write(db, ann, bob);
    expect(await unread()).toHaveLength(1);
  });
});

describe('reading', () => {
  it('moves forward, back by choice, and the differences told add up', async () => {
    await using here = await campus();
    const { db, ann, bob } = here;
    for (let turn = 0; turn < 3; turn += 1) await write(db, ann, bob);
    expect(await mark(db, bob, ann, 2)).toMatchObject({ readNumber: 2, unreadCount: 1 });
    expect(await mark(db, bob, ann, 1)).toMatchObject({ readNumber: 2 });
    expect(await mark(db, bob, ann, 99)).toMatchObject({ readNumber: 3, unreadCount: 0 });
    expect(await mark(db, bob, ann, 0, true)).toMatchObject({ readNumber: 0, unreadCount: 3 });
    expect(await toldUnread(db, bob)).toBe(3);
    await write(db, bob, ann);
    expect(await toldUnread(db, bob)).toBe(0);
  });

  it('is seen by the other only where both want it', async () => {
    await using here = await campus();
    const { db, ann, bob } = here;
    await write(db, ann, bob);
    await mark(db, bob, ann, 1);
    expect(await mark(db, ann, bob, null)).toMatchObject({ theirReadNumber: 1 });
    for (const who of [ann, bob]) {
      await db.as(
        who,
        (tx) => tx`
          insert into message_settings (user_id, sends_receipts) values (${who.id}, false)
          on conflict (user_id) do update set sends_receipts = false`,
      );
      for (const viewer of [ann, bob]) {
        const other = viewer === ann ? bob : ann;
        expect(await mark(db, viewer, other, null)).toMatchObject({
          theirReadNumber: null,
          theirDeliveredNumber: null,
        });
      }
      await db.sql`delete from message_settings`;
    }
    await db.sql`insert into message_settings (user_id, sends_receipts) values (${bob.id}, false)`;
    await write(db, ann, bob);
    await mark(db, bob, ann, 2);
    const [row] = await db.as(ann, (tx) => tx`select read_at from messages where number = 2`);
    expect(row?.read_at).toBeNull();
  });
});

describe('a hostile client', () => {
  it('writes as nobody else, and reads nothing of others', async () => {
    await using here = await campus();
    const { db, ann, bob, eve } = here;
    await write(db, ann, bob, 'Secret');
    await mark(db, bob, ann, 1);
    await using client = await supabaseClient(db, eve);
    for (const table of [
      'messages',
      'conversations',
      'conversation_readers',
      'message_blocks',
      'message_settings',
      'message_reports',
    ]) {
      expect(await client.from(table).select(), table).toMatchObject({ data: [], error: null });
    }
    const forged = { sender_id: ann.id, recipient_id: bob.id, content: 'Forged' };
    for (const attempt of [
      () => client.from('messages').insert(forged),
      () => client.from('messages').insert({ ...forged, sender_id: eve.id }),
      () => client.from('messages').insert({ ...forged, number: 9 }),
      () => client.from('messages').update({ read_at: '2026-01-01T00:00:00Z' }).eq('number', 1),
      () => client.from('messages').delete().eq('number', 1),
      () => client.from('message_blocks').insert({ blocker_id: ann.id, blocked_id: bob.id }),
      () => client.from('message_settings').insert({ user_id: ann.id, sends_receipts: false }),
      () => client.from('course_message_settings').insert({ course_id: here.course.id }),
      () => client.from('conversation_readers').update({ read_number: 0 }).eq('user_id', bob.id),
    ]) {
      expect((await attempt()).error, attempt.toString()).not.toBeNull();
    }
    const channel = client.channel(`user:${bob.id}`, { config: { private: true } });
    await expect(joined(channel)).rejects.toThrow('Unauthorized');
    const [{ count } = { count: 0 }] = await db.sql`select count(*)::integer from messages`;
    expect(count).toBe(1);
  });

  it('reports what they received only, with what it said', async () => {
    await using here = await campus();
    const { db, ann, bob, eve } = here;
    const admin = await db.a.admin();
    const id = randomUUID();
    await write(db, ann, bob, 'Rude', id);
    const report = (who: Actor) =>
      db.as(who, (tx) => tx`select private.report_message(${id}, 'harassment', '')`);
    await expect(report(eve)).rejects.toThrow('MESSAGE_NOT_FOUND');
    await expect(report(ann)).rejects.toThrow('MESSAGE_NOT_FOUND');
    await report(bob);
    await report(bob);
    const seen = await db.as(admin, (tx) => tx`select snapshot from message_reports`);
    expect(seen).toMatchObject([{ snapshot: { content: 'Rude' } }]);
    const rung = await db.sql`select title from notifications where user_id = ${admin.id}`;
    expect([...rung]).toEqual([{ title: 'A direct message was reported' }]);
  });

  it('decides about no report, and sees no more of what an administrator removed', async () => {
    await using here = await campus();
    const { db, ann, bob, eve, iris } = here;
    const admin = await db.a.admin();
    const id = randomUUID();
    await write(db, ann, bob, 'Rude', id);
    await db.as(bob, (tx) => tx`select private.report_message(${id}, 'harassment', 'Look')`);
    const decide = (who: Actor, status: string) =>
      db.as(who, (tx) => tx`select private.resolve_message_reports(${id}, ${status}) as count`);
    for (const who of [ann, bob, eve, iris]) {
      await expect(decide(who, 'dismissed')).rejects.toThrow('FORBIDDEN');
    }
    await using client = await supabaseClient(db, bob);
    const changed = await client
      .from('message_reports')
      .update({ status: 'dismissed' })
      .eq('id', id);
    expect(changed.error?.code).toBe('42501');
    const removing = await client.schema('private').rpc('remove_message', { message: id });
    expect(removing.error).not.toBeNull();

    expect([...(await decide(admin, 'removed'))]).toEqual([{ count: 1 }]);
    expect([...(await decide(admin, 'removed'))]).toEqual([{ count: 0 }]);
    for (const who of [ann, bob]) {
      const [row] = await db.as(who, (tx) => tx`select content, number from messages`);
      expect(row).toEqual({ content: '', number: 1 });
      expect(await toldUnread(db, who)).toBe(who === bob ? 1 : 0);
    }
    const rung = await db.sql`select message from notifications where user_id = ${bob.id}`;
    expect([...rung]).toEqual([{ message: 'This message was removed.' }]);
    const [kept] = await db.as(admin, (tx) => tx`select snapshot, status from message_reports`);
    expect(kept).toMatchObject({ snapshot: { content: 'Rude' }, status: 'removed' });
  });
});
