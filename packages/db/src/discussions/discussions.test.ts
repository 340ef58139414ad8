import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { testDatabase, type Actor, type TestDatabase } from '../testing/index.ts';

/** A course with an instructor and two students, who have opened a thread. */
async function seminar() {
  const db = await testDatabase();
  const iris = await db.a.instructor({ firstName: 'Iris', lastName: 'Teach' });
  const course = await db.a.course().taughtBy(iris);
  const ann = await db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
  const bob = await db.a.student({ firstName: 'Bob', lastName: 'Two' }).enrolledIn(course);
  const [thread] = await db.sql<{ id: string }[]>`
    insert into discussion_threads (course_id, title, created_by)
    values (${course.id}, 'Joins', ${ann.id}) returning id`;
  return {
    db,
    iris,
    ann,
    bob,
    course,
    thread: thread!.id,
    say: (who: Actor, content: string, values: Partial<Message> = {}) =>
      say(db, thread!.id, who, content, values),
    [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
  };
}

type Message = { id: string; parentId: string | null };

/** Writes as a client would: under row level security, with an id of its own. */
async function say(
  db: TestDatabase,
  threadId: string,
  who: Actor,
  content: string,
  { id = randomUUID(), parentId = null }: Partial<Message>,
) {
  const rows = await db.as(
    who,
    (tx) => tx<{ id: string; number: number }[]>`
      insert into thread_messages (id, thread_id, sender_id, parent_id, content)
      values (${id}, ${threadId}, ${who.id}, ${parentId}, ${content})
      returning id, number`,
  );
  return { id, number: rows[0]?.number };
}

type Event = { event: string; payload: Record<string, Record<string, unknown>> };

async function eventsOn({ sql }: TestDatabase, topic: string): Promise<Event[]> {
  return sql<Event[]>`
    select event, payload from private.live_events where topic = ${topic} order by seq`;
}

const titlesOf = async ({ sql }: TestDatabase, who: Actor) =>
  (
    await sql<{ title: string }[]>`
      select title from notifications
      where user_id = ${who.id} and related_entity_type = 'thread' order by created_at, id`
  ).map(({ title }) => title);

describe('a thread', () => {
  it('numbers its messages without holes, in the order of their events, under many writers', async () => {
    await using here = await seminar();
    const writers = await Promise.all(
      Array.from({ length: 20 }, () => here.db.a.student().enrolledIn(here.course)),
    );
    await Promise.allSettled(
      writers.flatMap((who, turn) => [
        here.say(who, `First of ${turn}`),
        here.say(who, turn % 4 === 0 ? ' ' : `Second of ${turn}`), // an empty one fails
      ]),
    );
    const rows = await here.db.sql<{ number: number }[]>`
      select number from thread_messages order by number`;
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 35 }, (_, at) => at + 1));
    const told = await eventsOn(here.db, `thread:${here.thread}`);
    expect(told.map(({ payload }) => payload.message?.number)).toEqual(
      rows.map(({ number }) => number),
    );
  });

  it('takes a message that is sent again only once, also at the same moment', async () => {
    await using here = await seminar();
    const id = randomUUID();
    const sent = await Promise.all(
      Array.from({ length: 8 }, () => here.say(here.ann, 'Once', { id })),
    );
    expect(sent.filter(({ number }) => number === 1)).toHaveLength(1);
    await here.db.sql`update discussion_threads set is_active = false where id = ${here.thread}`;
    await here.say(here.ann, 'Once', { id });
    const [{ count } = { count: 0 }] = await here.db.sql<{ count: number }[]>`
      select count(*)::integer from thread_messages`;
    expect(count).toBe(1);
    expect(await eventsOn(here.db, `thread:${here.thread}`)).toHaveLength(2); // closed is told too
  });

  it('keeps one level of replies', async () => {
    await using here = await seminar();
    const root = await here.say(here.ann, 'Question');
    const reply = await here.say(here.bob, 'Answer', { parentId: root.id });
    await here.say(here.ann, 'Thanks', { parentId: reply.id });
    const rows = await here.db.sql`select parent_id from thread_messages order by number`;
    expect(rows.map((row) => row.parent_id as string)).toEqual([null, root.id, root.id]);
  });

  it('tells the list of the course what is new, and its writer’s devices that it is read', async () => {
    await using here = await seminar();
    await here.say(here.ann, 'Hello?');
    await here.say(here.bob, 'Hello');
    await here.db.sql`select private.tell_threads()`;
    await here.db.sql`select private.tell_threads()`;
    const course = await eventsOn(here.db, `course:${here.course.id}`);
    expect(course.map(({ event }) => event)).toEqual(['thread.created', 'thread.activity']);
    expect(course.at(-1)?.payload).toMatchObject({
      threads: [{ id: here.thread, lastNumber: 2, lastSender: { name: 'Bob Two' } }],
    });
    const own = await eventsOn(here.db, `user:${here.bob.id}`);
    expect(own.at(-1)).toMatchObject({
      event: 'thread.read',
      payload: { threadId: here.thread, courseId: here.course.id, readNumber: 2 },
    });
  });
});

describe('a closed, locked or slow thread', () => {
  const change = (db: TestDatabase, thread: string, who: Actor, state: object) =>
    db.as(who, (tx) => tx`update discussion_threads set ${tx(state)} where id = ${thread}`);

  it('is written in by nobody, by its staff, or at a pace', async () => {
    await using here = await seminar();
    await change(here.db, here.thread, here.iris, { is_locked: true });
    await expect(here.say(here.ann, 'No')).rejects.toThrow('THREAD_LOCKED');
    await here.say(here.iris, 'Staff may');
    await change(here.db, here.thread, here.iris, { is_locked: false, slow_mode_seconds: 60 });
    await here.say(here.ann, 'One');
    await expect(here.say(here.ann, 'Two')).rejects.toMatchObject({
      message: 'SLOW_MODE',
      detail: expect.stringMatching(/^(60|59) s$/) as string,
    });
    await here.say(here.bob, 'One of mine');
    await here.say(here.iris, 'And another');
    await change(here.db, here.thread, here.iris, { is_active: false });
    for (const who of [here.ann, here.iris]) {
      await expect(here.say(who, 'No')).rejects.toThrow('THREAD_CLOSED');
    }
  });

  it('holds up whoever writes more than twenty messages a minute', async () => {
    await using here = await seminar();
    for (let turn = 0; turn < 20; turn += 1) await here.say(here.ann, `Number ${turn}`);
    await expect(here.say(here.ann, 'Too many')).rejects.toThrow('TOO_MANY_REQUESTS');
  });

  it('is moderated by its staff only', async () => {
    await using here = await seminar();
    await change(here.db, here.thread, here.ann, { is_pinned: true, title: 'Mine' });
    const [thread] = await here.db.sql`select title, is_pinned from discussion_threads`;
    expect(thread).toEqual({ title: 'Joins', is_pinned: false });
  });
});

describe('a message', () => {
  it('is edited by its sender, and what it said is kept', async () => {
    await using here = await seminar();
    const { id } = await here.say(here.ann, 'Frist');
    await here.db.as(
      here.ann,
      (tx) => tx`update thread_messages set content = 'First' where id = ${id}`,
    );
    await here.db.as(
      here.bob,
      (tx) => tx`update thread_messages set content = 'Hacked' where id = ${id}`,
    );
    const seen = await here.db.as(
      here.bob,
      (tx) => tx`select content from thread_message_revisions`,
    );
    expect([...seen]).toEqual([{ content: 'Frist' }]);
    const [row] = await here.db.sql`select content, edited_at from thread_messages`;
    expect(row).toMatchObject({ content: 'First', edited_at: expect.any(String) as string });
    expect((await eventsOn(here.db, `thread:${here.thread}`)).at(-1)).toMatchObject({
      event: 'message.updated',
      payload: { message: { content: 'First' } },
    });
  });

  it('leaves a trace when it is deleted; only staff can still read it', async () => {
    await using here = await seminar();
    const { id } = await here.say(here.ann, 'Rude words');
    await here.db.sql`update discussion_threads set answer_id = ${id}`;
    const remove = (who: Actor) =>
      here.db.as(who, (tx) => tx`select private.delete_thread_message(${id}) as message`);
    await expect(remove(here.bob)).rejects.toThrow('FORBIDDEN');
    const [{ message } = { message: null }] = await remove(here.iris);
    expect(message).toMatchObject({ number: 1, content: '', deletedBy: 'staff' });
    await remove(here.ann); // deleted already: it stays as it is
    const read = (who: Actor) =>
      here.db.as(who, (tx) => tx`select content from thread_message_revisions`);
    expect([...(await read(here.ann))]).toEqual([]);
    expect([...(await read(here.iris))]).toEqual([{ content: 'Rude words' }]);
    const [thread] = await here.db.sql`select answer_id, last_number from discussion_threads`;
    expect(thread).toEqual({ answer_id: null, last_number: 1 });
  });

  it('is reacted to once by each, and the differences told add up', async () => {
    await using here = await seminar();
    const { id } = await here.say(here.ann, 'Nice');
    const react = (who: Actor) =>
      here.db.as(
        who,
        (tx) => tx`
          insert into thread_message_reactions (message_id, user_id, emoji)
          values (${id}, ${who.id}, '👍') on conflict do nothing`,
      );
    await Promise.all([react(here.bob), react(here.bob), react(here.iris)]);
    await here.db.as(
      here.bob,
      (tx) => tx`delete from thread_message_reactions where message_id = ${id}`,
    );
    const told = await eventsOn(here.db, `thread:${here.thread}`);
    const deltas = told.slice(1).map(({ payload }) => Number(payload.countDelta));
    expect(deltas).toEqual([1, 1, -1]);
  });

  it('is reported once by each, as it was, to the staff', async () => {
    await using here = await seminar();
    const { id } = await here.say(here.ann, 'Buy my pills');
    const report = () =>
      here.db.as(
        here.bob,
        (tx) => tx`select private.report_thread_message(${id}, 'spam', 'Look') as id`,
      );
    const [first] = await report();
    await here.db.sql`update thread_messages set content = 'Innocent' where id = ${id}`;
    expect([...(await report())]).toEqual([first]);
    expect(await titlesOf(here.db, here.iris)).toContain('A message was reported');
    await here.db.as(
      here.iris,
      (tx) => tx`select private.resolve_thread_reports(${id}, 'removed')`,
    );
    const [row] = await here.db.sql`select status, snapshot from thread_message_reports`;
    expect(row).toMatchObject({ status: 'removed', snapshot: { content: 'Buy my pills' } });
    const [message] = await here.db.sql`select content from thread_messages`;
    expect(message).toEqual({ content: '' });
  });
});

describe('who is meant', () => {
  const named = (who: Actor) => `Look, [@you](mention:${who.id})!`;

  it('is notified: who is named, who is answered, who watches; each once', async () => {
    await using here = await seminar();
    const stranger = await here.db.a.student();
    const root = await here.say(here.ann, 'Question');
    await here.say(here.bob, `${named(here.iris)} ${named(here.bob)} ${named(stranger)}`, {
      parentId: root.id,
    });
    expect(await titlesOf(here.db, here.ann)).toEqual(['Bob Two replied to you']);
    expect(await titlesOf(here.db, here.iris)).toEqual(['New discussion', 'Bob Two mentioned you']);
    expect(await titlesOf(here.db, here.bob)).toEqual([]);
    expect(await titlesOf(here.db, stranger)).toEqual([]);
  });

  it('hears of a watched thread once until they have read it', async () => {
    await using here = await seminar();
    await here.say(here.bob, 'One');
    await here.say(here.bob, 'Two');
    expect(await titlesOf(here.db, here.ann)).toEqual(['New messages in a discussion']);
    await here.db.as(here.ann, (tx) => tx`select private.mark_thread_read(${here.thread}, 2)`);
    await here.say(here.bob, 'Three');
    const unread = await here.db.sql`
      select read_at is null as unread from notifications where user_id = ${here.ann.id}
      order by created_at`;
    expect(unread.map((row) => row.unread as boolean)).toEqual([false, true]);
  });

  it('hears nothing of a muted thread, and of an edit only when newly named', async () => {
    await using here = await seminar();
    await here.db.as(here.bob, (tx) => tx`select private.follow_thread(${here.thread}, 'muted')`);
    const { id } = await here.say(here.ann, named(here.bob));
    expect(await titlesOf(here.db, here.bob)).toEqual([]);
    const edit = (content: string) =>
      here.db.as(
        here.ann,
        (tx) => tx`update thread_messages set content = ${content} where id = ${id}`,
      );
    await edit(`${named(here.bob)} ${named(here.iris)}`);
    await edit(`${named(here.bob)} ${named(here.iris)} again`);
    expect(await titlesOf(here.db, here.iris)).toEqual(['New discussion', 'Ann One mentioned you']);
  });
});

describe('how far someone has read', () => {
  const mark = (here: Awaited<ReturnType<typeof seminar>>, number: number) =>
    here.db.as(
      here.bob,
      async (tx) =>
        (
          await tx<{ reader: { readNumber: number } }[]>`
            select private.mark_thread_read(${here.thread}, ${number}) as reader`
        )[0]?.reader.readNumber,
    );

  it('never goes back by reading nor beyond the end, and is told when it moves', async () => {
    await using here = await seminar();
    for (const text of ['One', 'Two', 'Three']) await here.say(here.ann, text);
    expect(await mark(here, 2)).toBe(2);
    expect(await mark(here, 1)).toBe(2);
    expect(await mark(here, 99)).toBe(3);
    const told = await eventsOn(here.db, `user:${here.bob.id}`);
    const marks = told.filter(({ event }) => event === 'thread.read');
    expect(marks.map(({ payload }) => Number(payload.readNumber))).toEqual([2, 3]);
  });

  it('goes back when they want to read again', async () => {
    await using here = await seminar();
    for (const text of ['One', 'Two', 'Three']) await here.say(here.ann, text);
    await mark(here, 3);
    const [row] = await here.db.as(
      here.bob,
      (tx) => tx`select private.mark_thread_unread(${here.thread}, 2) as reader`,
    );
    expect(row?.reader).toMatchObject({ readNumber: 1 });
  });
});

describe('the search', () => {
  it('finds words of the course, best first, and marks them', async () => {
    await using here = await seminar();
    await here.say(here.ann, 'A left join keeps the row.');
    await here.say(here.bob, 'Joins, joins, nothing but joining!');
    await here.say(here.bob, 'Something else');
    const search = (who: Actor, words: string) =>
      here.db.as(
        who,
        async (tx) =>
          (
            await tx<{ hits: { number: number; excerpt: string }[] }[]>`
              select private.search_thread_messages(${here.course.id}, ${words}, 10, 0) as hits`
          )[0]!.hits,
      );
    expect((await search(here.ann, 'join')).map(({ number }) => number)).toEqual([2, 1]);
    expect((await search(here.ann, 'join -row')).map(({ number }) => number)).toEqual([2]);
    expect((await search(here.ann, '"left join"'))[0]?.excerpt).toContain('\u0001left\u0002');
    expect(await search(here.ann, '(((')).toEqual([]);
    const stranger = await here.db.a.student();
    await expect(search(stranger, 'join')).rejects.toThrow('COURSE_NOT_FOUND');
  });
});
