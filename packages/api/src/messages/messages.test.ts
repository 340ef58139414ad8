import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import {
  conversationOutput,
  conversationsOutput,
  messageEventSchemas,
  messageReportEventSchemas,
  reportsOutput,
} from './contract.ts';

async function campus() {
  const room = await classroom({ rateLimits: { query: 10_000, mutation: 10_000 } });
  const iris = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(iris);
  const ann = await room.db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
  const bob = await room.db.a.student({ firstName: 'Bob', lastName: 'Two' }).enrolledIn(course);
  const asAnn = (await room.as(ann)).messages;
  const asBob = (await room.as(bob)).messages;
  const asIris = (await room.as(iris)).messages;
  const say = (content: string, id = randomUUID()) =>
    asAnn.send.mutate({ id, userId: bob.id, content });
  const end = () => room[Symbol.asyncDispose]();
  return { room, course, iris, ann, bob, asAnn, asBob, asIris, say, [Symbol.asyncDispose]: end };
}

it('keeps a conversation in order, counts what is unread, and pages from its end', async () => {
  await using here = await campus();
  for (const text of ['One', 'Two', 'Three', 'Four', 'Five']) await here.say(text);
  const list = await here.asBob.conversations.query({});
  expect(conversationsOutput.safeParse(list).error).toBeUndefined();
  expect(list.data).toMatchObject({
    unreadCount: 5,
    items: [{ with: { name: 'Ann One' }, unreadCount: 5, lastMessage: { excerpt: 'Five' } }],
  });
  const read = (before?: number) =>
    here.asBob.conversation.query({ userId: here.ann.id, limit: 2, before });
  const end = await read();
  expect(conversationOutput.safeParse(end).error).toBeUndefined();
  expect(end.data.items.map(({ content }) => content)).toEqual(['Four', 'Five']);
  expect((await read(4)).data.items.map(({ content }) => content)).toEqual(['Two', 'Three']);
  expect((await read(2)).data.items.map(({ content }) => content)).toEqual(['One']);
  await here.asBob.markAsRead.mutate({ userId: here.ann.id, number: 4 });
  expect((await here.asBob.conversations.query({})).data.unreadCount).toBe(1);
  await here.asBob.markAsUnread.mutate({ userId: here.ann.id, number: 2 });
  expect((await here.asBob.conversations.query({})).data.unreadCount).toBe(4);
});

it('says what was delivered and read, unless one of the two wants no receipts', async () => {
  await using here = await campus();
  await here.say('Hello');
  await here.asBob.markAsDelivered.mutate({ userId: here.ann.id, number: 1 });
  const seen = async () =>
    (await here.asAnn.conversation.query({ userId: here.bob.id })).data.conversation;
  expect(await seen()).toMatchObject({ theirDeliveredNumber: 1, theirReadNumber: 0 });
  await here.asBob.markAsRead.mutate({ userId: here.ann.id, number: 1 });
  expect(await seen()).toMatchObject({ theirReadNumber: 1 });
  await here.asAnn.settings.set.mutate({ sendsReceipts: false, showsTyping: true });
  expect(await here.asAnn.settings.get.query()).toEqual({
    sendsReceipts: false,
    showsTyping: true,
  });
  expect(await seen()).toMatchObject({ theirReadNumber: null, theirDeliveredNumber: null });
});

it('writes once what is sent again, and tells both what the contract says', async () => {
  await using here = await campus();
  const id = randomUUID();
  const sent = await here.say('Once', id);
  expect(await here.say('Once', id)).toEqual(sent);
  await here.asBob.markAsRead.mutate({ userId: here.ann.id, number: 1 });
  for (const who of [here.ann, here.bob]) {
    const { live } = await here.room.as(who);
    const since = await live.since.query({ topic: `user:${who.id}`, seq: 0 });
    if (since.status !== 'events') throw new Error('too old');
    const told = since.events.filter(({ event }) => event in messageEventSchemas);
    expect(told.map(({ event }) => event)).toEqual([
      'direct_message.created',
      'conversation.changed',
    ]);
    for (const { event, data } of told) {
      const schema = messageEventSchemas[event as keyof typeof messageEventSchemas];
      expect(schema.safeParse(data).error, event).toBeUndefined();
    }
  }
});

it('is closed to strangers, to the blocked, and between students where it is switched off', async () => {
  await using here = await campus();
  const stranger = (await here.room.as(await here.room.db.a.student())).messages;
  const toAnn = { id: randomUUID(), userId: here.ann.id, content: 'Hi' };
  expect((await refusal(stranger.send.mutate(toAnn))).appCode).toBe('CONVERSATION_CLOSED');
  expect((await refusal(stranger.conversation.query({ userId: here.ann.id }))).appCode).toBe(
    'USER_NOT_FOUND',
  );
  const names = async () =>
    (await here.asAnn.people.query({ words: '' })).items.map(({ name }) => name);
  expect(await names()).toContain('Bob Two');
  await here.asBob.block.mutate({ userId: here.ann.id, isBlocked: true });
  expect((await refusal(here.say('Hi'))).appCode).toBe('CONVERSATION_CLOSED');
  expect(await names()).not.toContain('Bob Two');
  await here.asBob.block.mutate({ userId: here.ann.id, isBlocked: false });
  await here.say('Hi');
  const off = { courseId: here.course.id, studentsMayWrite: false };
  expect((await refusal(here.asAnn.courseSwitch.set.mutate(off))).appCode).toBe('ROLE_FORBIDDEN');
  await here.asIris.courseSwitch.set.mutate(off);
  expect((await refusal(here.say('Hi'))).appCode).toBe('CONVERSATION_CLOSED');
  const { data } = await here.asAnn.conversation.query({ userId: here.bob.id });
  expect(data).toMatchObject({ canWrite: false, items: [{ content: 'Hi' }] });
});

it('brings what was reported before the administrators, page by page, and nobody else', async () => {
  await using here = await campus();
  const admin = await here.room.db.a.admin();
  const asAdmin = await here.room.as(admin);
  for (const text of ['One', 'Two', 'Three']) {
    const { message } = await here.say(text);
    await here.asBob.report.mutate({ messageId: message.id, reason: 'spam' });
  }
  for (const one of [here.asAnn, here.asBob, here.asIris]) {
    expect((await refusal(one.reports.query({}))).appCode).toBe('ROLE_FORBIDDEN');
  }
  const open = (cursor?: string) =>
    asAdmin.messages.reports.query({ status: 'open', limit: 2, cursor });
  const first = await open();
  expect(reportsOutput.safeParse(first).error).toBeUndefined();
  const said = ({ data }: typeof first) => data.items.map(({ snapshot }) => snapshot.content);
  expect(said(first)).toEqual(['Three', 'Two']);
  expect(said(await open(first.data.nextCursor!))).toEqual(['One']);
  const { messageId } = first.data.items[0]!;
  const { resolvedCount } = await asAdmin.messages.resolveReports.mutate({
    messageId,
    status: 'removed',
  });
  expect(resolvedCount).toBe(1);
  expect(said(await open())).toEqual(['Two', 'One']);
  const part = await here.asBob.conversation.query({ userId: here.ann.id });
  expect(part.data.items.at(-1)).toMatchObject({ content: '', isRemoved: true });
  const schemas = { ...messageEventSchemas, ...messageReportEventSchemas };
  for (const [who, name] of [
    [here.bob, 'direct_message.removed'],
    [admin, 'message_report.updated'],
  ] as const) {
    const { live } = await here.room.as(who);
    const since = await live.since.query({ topic: `user:${who.id}`, seq: 0 });
    if (since.status !== 'events') throw new Error('too old');
    const told = since.events.findLast(({ event }) => event === name);
    expect(schemas[name].safeParse(told?.data).error, name).toBeUndefined();
  }
});
