import { randomUUID } from 'node:crypto';
import { schema } from '@homeroom/db';
import { describe, expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import {
  messageOutput,
  messagesOutput,
  readersOutput,
  reportsOutput,
  searchOutput,
  threadEventSchemas,
  threadListEventSchemas,
  threadReaderEventSchemas,
  threadReportEventSchemas,
  threadsOutput,
} from './contract.ts';
import { REACTIONS, REPORT_REASONS, REPORT_STATUSES, THREAD_LEVELS } from './kinds-contract.ts';

/** A course with an instructor, two students and a thread of Ann's. */
async function seminar() {
  const room = await classroom({ rateLimits: { query: 10_000, mutation: 10_000 } });
  const iris = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(iris);
  const ann = await room.db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
  const bob = await room.db.a.student({ firstName: 'Bob', lastName: 'Two' }).enrolledIn(course);
  const asAnn = (await room.as(ann)).discussions;
  const opening = {
    id: randomUUID(),
    messageId: randomUUID(),
    courseId: course.id,
    title: 'Joins',
    content: 'What is a join?',
  };
  const { thread } = await asAnn.open.mutate(opening);
  return {
    room,
    course,
    iris,
    ann,
    bob,
    opening,
    thread,
    asAnn,
    asBob: (await room.as(bob)).discussions,
    asIris: (await room.as(iris)).discussions,
    [Symbol.asyncDispose]: () => room[Symbol.asyncDispose](),
  };
}

type Seminar = Awaited<ReturnType<typeof seminar>>;

/** Fills the thread up to a number, past the limits, as a service would. */
async function fillUpTo({ room, thread, bob }: Seminar, number: number): Promise<void> {
  await room.db.sql`
    insert into thread_messages (thread_id, sender_id, content)
    select ${thread.id}, ${bob.id}, 'Number ' || at from generate_series(2, ${number}) as at`;
}

const numbersOf = ({ data }: { data: { items: { number: number }[] } }) =>
  data.items.map(({ number }) => number);
const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

it('knows the same words as the database', () => {
  expect(REACTIONS).toEqual(schema.threadMessageReactions.emoji.enumValues);
  expect(THREAD_LEVELS).toEqual(schema.threadReaders.level.enumValues);
  expect(REPORT_REASONS).toEqual(schema.threadMessageReports.reason.enumValues);
  expect(REPORT_STATUSES).toEqual(schema.threadMessageReports.status.enumValues);
});

describe('a thread', () => {
  it('is opened with its first message, once, however often it is asked', async () => {
    await using here = await seminar();
    const again = await here.asAnn.open.mutate(here.opening);
    expect(again.thread).toEqual(here.thread);
    const list = await here.asBob.threads.query({ courseId: here.course.id });
    expect(threadsOutput.safeParse(list).error).toBeUndefined();
    expect(list.data.items).toEqual([here.thread]);
    expect(here.thread).toMatchObject({ lastNumber: 1, createdBy: { name: 'Ann One' } });
  });

  it('is read from either end and around any place, without holes', async () => {
    await using here = await seminar();
    await fillUpTo(here, 40);
    const read = (place: object) =>
      here.asAnn.messages.query({ threadId: here.thread.id, limit: 10, ...place });
    const newest = await read({});
    expect(messagesOutput.safeParse(newest).error).toBeUndefined();
    expect(numbersOf(newest)).toEqual(range(31, 40));
    expect(newest.data.thread.lastNumber).toBe(40);
    expect(numbersOf(await read({ before: 31 }))).toEqual(range(21, 30));
    expect(numbersOf(await read({ before: 4 }))).toEqual(range(1, 3));
    expect(numbersOf(await read({ before: 1 }))).toEqual([]);
    expect(numbersOf(await read({ after: 12 }))).toEqual(range(13, 22));
    expect(numbersOf(await read({ after: 38 }))).toEqual([39, 40]);
    expect(numbersOf(await read({ after: 40 }))).toEqual([]);
    expect(numbersOf(await read({ around: 20 }))).toEqual(range(15, 24));
    expect(numbersOf(await read({ around: 2 }))).toEqual(range(1, 10));
    expect(numbersOf(await read({ around: 40 }))).toEqual(range(31, 40));
    const aroundMessage = here.opening.messageId;
    expect(numbersOf(await read({ aroundMessage }))).toEqual(range(1, 10));
    expect(await refusal(read({ before: 3, after: 1 }))).toMatchObject({
      fields: [{ field: 'before' }],
    });
  });

  it('is listed pinned ones first, then by the newest message, page after page', async () => {
    await using here = await seminar();
    for (const title of ['Two', 'Three', 'Four']) {
      const ids = { id: randomUUID(), messageId: randomUUID() };
      await here.asBob.open.mutate({ ...here.opening, ...ids, title });
    }
    await here.asIris.moderate.mutate({ threadId: here.thread.id, isPinned: true });
    const page = (cursor?: string) =>
      here.asAnn.threads.query({ courseId: here.course.id, limit: 2, cursor });
    const titles = (list: Awaited<ReturnType<typeof page>>) =>
      list.data.items.map(({ title }) => title);
    const first = await page();
    expect(titles(first)).toEqual(['Joins', 'Four', 'Three']);
    const second = await page(first.data.nextCursor ?? undefined);
    expect(titles(second)).toEqual(['Two']);
    expect(second.data.nextCursor).toBeNull();
  });

  it('is for the members of its course only', async () => {
    await using here = await seminar();
    const stranger = (await here.room.as(await here.room.db.a.student())).discussions;
    const threadId = here.thread.id;
    const courseId = here.course.id;
    const send = { id: randomUUID(), threadId, content: 'Hi' };
    for (const [attempt, appCode] of [
      [() => stranger.threads.query({ courseId }), 'COURSE_NOT_FOUND'],
      [() => stranger.messages.query({ threadId }), 'THREAD_NOT_FOUND'],
      [() => stranger.send.mutate(send), 'THREAD_NOT_FOUND'],
      [() => stranger.markAsRead.mutate({ threadId, number: 1 }), 'THREAD_NOT_FOUND'],
      [() => stranger.follow.mutate({ threadId, level: 'watching' }), 'THREAD_NOT_FOUND'],
      [() => stranger.search.query({ courseId, words: 'join' }), 'COURSE_NOT_FOUND'],
      [() => stranger.mentionable.query({ courseId }), 'COURSE_NOT_FOUND'],
      [() => stranger.remove.mutate({ messageId: here.opening.messageId }), 'MESSAGE_NOT_FOUND'],
      [
        () => stranger.report.mutate({ messageId: here.opening.messageId, reason: 'spam' }),
        'MESSAGE_NOT_FOUND',
      ],
    ] as const) {
      expect((await refusal(attempt())).appCode).toBe(appCode);
    }
  });
});

describe('a message', () => {
  it('is written once, and answered the same when it is sent again', async () => {
    await using here = await seminar();
    const send = { id: randomUUID(), threadId: here.thread.id, content: 'A **row** by row' };
    const sent = await here.asBob.send.mutate(send);
    expect(messageOutput.safeParse(sent).error).toBeUndefined();
    expect(await here.asBob.send.mutate(send)).toEqual(sent);
    const others = await refusal(here.asAnn.send.mutate(send));
    expect(others).toMatchObject({ httpStatus: 409, appCode: 'ALREADY_EXISTS' });
  });

  it('is held up in slow mode, with the seconds to wait', async () => {
    await using here = await seminar();
    await here.asIris.moderate.mutate({ threadId: here.thread.id, slowModeSeconds: 30 });
    const send = () =>
      here.asBob.send.mutate({ id: randomUUID(), threadId: here.thread.id, content: 'Hi' });
    await send();
    const refused = await refusal(send());
    expect(refused).toMatchObject({ httpStatus: 429, appCode: 'SLOW_MODE' });
    expect(refused.retryAfterSeconds).toBeGreaterThan(25);
  });

  it('is edited by its sender only, removed by staff too, and its past can be read', async () => {
    await using here = await seminar();
    const { messageId } = here.opening;
    const edited = await here.asAnn.edit.mutate({ messageId, content: 'What are joins?' });
    expect(edited.message).toMatchObject({ content: 'What are joins?' });
    const theirs = here.asBob.edit.mutate({ messageId, content: 'x' });
    expect((await refusal(theirs)).appCode).toBe('FORBIDDEN');
    expect((await here.asBob.history.query({ messageId })).items).toMatchObject([
      { content: 'What is a join?' },
    ]);
    expect((await refusal(here.asBob.remove.mutate({ messageId }))).appCode).toBe('FORBIDDEN');
    const removed = await here.asIris.remove.mutate({ messageId });
    expect(removed.message).toMatchObject({ content: '', number: 1, deletedBy: 'staff' });
    expect((await here.asBob.history.query({ messageId })).items).toEqual([]);
    expect((await here.asIris.history.query({ messageId })).items).toHaveLength(2);
    const late = here.asAnn.edit.mutate({ messageId, content: 'x' });
    expect((await refusal(late)).appCode).toBe('MESSAGE_NOT_FOUND');
  });

  it('carries signs, each person’s once, and says which are one’s own', async () => {
    await using here = await seminar();
    const { messageId } = here.opening;
    const sign = { messageId, emoji: '👍', isOn: true } as const;
    await here.asBob.react.mutate(sign);
    await here.asBob.react.mutate(sign);
    await here.asIris.react.mutate(sign);
    const reactions = async (who: Seminar['asAnn']) =>
      (await who.messages.query({ threadId: here.thread.id })).data.items[0]?.reactions;
    expect(await reactions(here.asBob)).toEqual([{ emoji: '👍', count: 2, isMine: true }]);
    expect(await reactions(here.asAnn)).toEqual([{ emoji: '👍', count: 2, isMine: false }]);
    await here.asBob.react.mutate({ ...sign, isOn: false });
    expect(await reactions(here.asBob)).toEqual([{ emoji: '👍', count: 1, isMine: false }]);
  });

  it('answers the thread and is endorsed when an instructor says so', async () => {
    await using here = await seminar();
    const id = randomUUID();
    await here.asBob.send.mutate({ id, threadId: here.thread.id, content: 'Rows beside rows' });
    const answer = { threadId: here.thread.id, answerId: id };
    expect((await refusal(here.asAnn.moderate.mutate(answer))).appCode).toBe('ROLE_FORBIDDEN');
    expect((await here.asIris.moderate.mutate(answer)).thread.answerId).toBe(id);
    const endorsed = await here.asIris.endorse.mutate({ messageId: id, isEndorsed: true });
    expect(endorsed.message.endorsedBy?.id).toBe(here.iris.id);
    const answered = { courseId: here.course.id, isAnswered: true };
    expect((await here.asBob.threads.query(answered)).data.items).toHaveLength(1);
    const another = (await here.room.as(await here.room.db.a.instructor())).discussions;
    expect((await refusal(another.moderate.mutate(answer))).appCode).toBe('THREAD_NOT_FOUND');
  });

  it('is reported with what it said, and the reports are decided about by staff', async () => {
    await using here = await seminar();
    const { messageId } = here.opening;
    const courseId = here.course.id;
    await here.asBob.report.mutate({ messageId, reason: 'off_topic' });
    const open = await here.asIris.reports.query({ courseId, status: 'open' });
    expect(reportsOutput.safeParse(open).error).toBeUndefined();
    expect(open.data.items).toMatchObject([
      { messageId, reporter: { name: 'Bob Two' }, snapshot: { content: 'What is a join?' } },
    ]);
    await here.asIris.resolveReports.mutate({ messageId, status: 'dismissed' });
    const left = await here.asIris.reports.query({ courseId, status: 'open' });
    expect(left.data.items).toEqual([]);
    const another = (await here.room.as(await here.room.db.a.instructor())).discussions;
    expect((await refusal(another.reports.query({ courseId }))).appCode).toBe('COURSE_NOT_FOUND');
  });
});

describe('reading', () => {
  it('moves forward by reading and writing, back by choice; unread is a difference', async () => {
    await using here = await seminar();
    await fillUpTo(here, 5);
    const threadId = here.thread.id;
    const unread = async (who: Seminar['asAnn']) => {
      const readers = await who.readers.query({ courseId: here.course.id });
      expect(readersOutput.safeParse(readers).error).toBeUndefined();
      const reader = readers.data.items.find((one) => one.threadId === threadId);
      return 5 - (reader?.readNumber ?? 0);
    };
    expect(await unread(here.asAnn)).toBe(4);
    await here.asAnn.markAsRead.mutate({ threadId, number: 3 });
    expect(await unread(here.asAnn)).toBe(2);
    await here.asAnn.markAsUnread.mutate({ threadId, number: 2 });
    expect(await unread(here.asAnn)).toBe(4);
    expect(await unread(here.asBob)).toBe(0); // wrote the last one
  });
});

describe('what is told', () => {
  it('has the shapes of the contract', async () => {
    await using here = await seminar();
    const { messageId } = here.opening;
    const threadId = here.thread.id;
    await here.asBob.react.mutate({ messageId, emoji: '🎉', isOn: true });
    await here.asAnn.edit.mutate({ messageId, content: `Hello [@Bob](mention:${here.bob.id})` });
    await here.asBob.markAsRead.mutate({ threadId, number: 1 });
    await here.asBob.report.mutate({ messageId, reason: 'other', note: 'Hm' });
    await here.asIris.moderate.mutate({ threadId, isPinned: true });
    const asIris = await here.room.as(here.iris);
    await here.room.db.sql`select private.tell_threads()`;
    const topics = [
      [`thread:${threadId}`, threadEventSchemas],
      [`course:${here.course.id}`, threadListEventSchemas],
      [`course:${here.course.id}:staff`, threadReportEventSchemas],
    ] as const;
    const names = new Set<string>();
    const check = (events: { event: string; data?: unknown }[], schemas: object) => {
      for (const { event, data } of events) {
        if (!Object.hasOwn(schemas, event)) continue;
        names.add(event);
        const all = schemas as typeof threadEventSchemas;
        expect(all[event as keyof typeof all].safeParse(data).error, event).toBeUndefined();
      }
    };
    for (const [topic, schemas] of topics) {
      const since = await asIris.live.since.query({ topic, seq: 0 });
      if (since.status === 'events') check(since.events, schemas);
    }
    const own = { topic: `user:${here.bob.id}`, seq: 0 };
    const since = await (await here.room.as(here.bob)).live.since.query(own);
    if (since.status === 'events') check(since.events, threadReaderEventSchemas);
    expect([...names].sort()).toEqual([
      'message.created',
      'message.reacted',
      'message.updated',
      'report.updated',
      'thread.activity',
      'thread.created',
      'thread.read',
      'thread.updated',
    ]);
  });
});

describe('the search and the names to mention', () => {
  it('finds words with the parts that match, and people by the beginning of their name', async () => {
    await using here = await seminar();
    const found = await here.asBob.search.query({ courseId: here.course.id, words: 'JOIN' });
    expect(searchOutput.safeParse(found).error).toBeUndefined();
    expect(found.items).toMatchObject([
      {
        number: 1,
        threadTitle: 'Joins',
        excerpt: [
          { text: 'What is a ', isMatch: false },
          { text: 'join', isMatch: true },
          { text: '?', isMatch: false },
        ],
      },
    ]);
    const names = async (words: string) =>
      (await here.asBob.mentionable.query({ courseId: here.course.id, words })).items.map(
        ({ name }) => name,
      );
    expect(await names('an')).toEqual(['Ann One']);
    expect(await names('bob t')).toEqual(['Bob Two']);
    expect(await names('%')).toEqual([]);
    expect((await names(''))[0]).toMatch(/^Iris/);
  });
});

describe('the guide’s route', () => {
  it('gives { messages }, oldest first, to members only', async () => {
    await using here = await seminar();
    await fillUpTo(here, 3);
    const path = `/api/discussion/${here.thread.id}/messages`;
    const response = await here.room.rest(here.bob, 'GET', path);
    expect(response.status).toBe(200);
    const body = (await response.json()) as { messages: Record<string, unknown>[] };
    expect(Object.keys(body)).toEqual(['messages']);
    expect(body.messages).toHaveLength(3);
    expect(body.messages[0]).toMatchObject({
      thread_id: here.thread.id,
      sender_id: here.ann.id,
      sender_name: 'Ann One',
      content: 'What is a join?',
      created_at: expect.stringMatching(/Z$/) as string,
    });
    const stranger = await here.room.db.a.student();
    expect((await here.room.rest(stranger, 'GET', path)).status).toBe(404);
    expect((await here.room.rest(null, 'GET', path)).status).toBe(401);
    const bad = '/api/discussion/1/messages';
    expect((await here.room.rest(here.bob, 'GET', bad)).status).toBe(400);
  });
});
