import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { school, type School } from '../testing/school.ts';
import { until, watch } from '../testing/stage.ts';
import { conversation, type ConversationState } from './conversation-store.ts';
import { conversations } from './list-store.ts';

const isLive = ({ status }: { status: string }) => status === 'live';
const last = ({ messages }: ConversationState) => messages.at(-1);

/** Ann on a desk; Bob on two devices. */
describe('a conversation on the real stack', () => {
  let here: School;
  let people: { ann: { id: string; email: string }; bob: { id: string; email: string } };
  beforeEach(async () => {
    here = await school();
    const course = await here.db.a.course();
    people = {
      ann: await here.db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course),
      bob: await here.db.a.student().enrolledIn(course),
    };
  });
  afterEach(() => here[Symbol.asyncDispose]());

  it('goes from sent over delivered to read, and is read on both devices at once', async () => {
    const ann = conversation(here.tab(people.ann), people.bob.id);
    const [desk, phone] = [here.tab(people.bob), here.tab(people.bob)];
    const lists = [conversations(desk), conversations(phone)];
    const onPhone = conversation(phone, people.ann.id);
    watch(ann);
    await until(ann, isLive);
    ann.send('Hello');
    await until(ann, (state) => last(state)?.receipt === 'sent' && state.outgoing.length === 0);

    for (const list of lists) watch(list);
    const [seen] = await Promise.all(lists.map((list) => until(list, isLive)));
    expect(seen).toMatchObject({ unreadCount: 1, conversations: [{ with: { name: 'Ann One' } }] });
    await until(ann, (state) => last(state)?.receipt === 'delivered');

    watch(onPhone);
    await until(onPhone, isLive);
    expect(await onPhone.markAsRead(1)).toBe(true);
    await Promise.all(lists.map((list) => until(list, ({ unreadCount }) => unreadCount === 0)));
    await until(ann, (state) => last(state)?.receipt === 'read');

    expect(await onPhone.markAsUnread(1)).toBe(true);
    await Promise.all(lists.map((list) => until(list, ({ unreadCount }) => unreadCount === 1)));
    onPhone.send('Hello yourself');
    await Promise.all(lists.map((list) => until(list, ({ unreadCount }) => unreadCount === 0)));
    await until(ann, (state) => last(state)?.isOwn === false && state.unreadCount === 1);
  });

  it('says why it can’t be sent, and keeps what was written', async () => {
    const ann = conversation(here.tab(people.ann), people.bob.id);
    watch(ann);
    await until(ann, isLive);
    await here.db.sql`
      insert into message_blocks (blocker_id, blocked_id) values (${people.bob.id}, ${people.ann.id})`;
    const id = ann.send('Hello?');
    const { outgoing } = await until(ann, (state) => state.outgoing[0]?.state === 'refused');
    expect(outgoing[0]?.error?.code).toBe('CONVERSATION_CLOSED');
    expect(ann.discard(id)).toBe('Hello?');
  });
});
