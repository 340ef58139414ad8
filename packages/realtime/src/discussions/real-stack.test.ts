import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { school, type School } from '../testing/school.ts';
import { until, watch } from '../testing/stage.ts';
import { courseThreads, type CourseThreadsState } from './list-store.ts';
import { discussionThread, type DiscussionThreadState } from './thread-store.ts';

const isLive = ({ status }: { status: string }) => status === 'live';
const texts = ({ messages }: DiscussionThreadState) => messages.map(({ content }) => content);
const says = (text: string) => (state: DiscussionThreadState) => texts(state).includes(text);

/** Two students and an instructor in a thread, on the real stack. */
describe('a discussion on the real stack', () => {
  let here: School;
  let people: Awaited<ReturnType<typeof seminar>>;
  beforeEach(async () => {
    here = await school();
    people = await seminar(here);
  });
  afterEach(() => here[Symbol.asyncDispose]());

  async function seminar({ db }: School) {
    const iris = await db.a.instructor();
    const course = await db.a.course().taughtBy(iris);
    const ann = await db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
    const bob = await db.a.student().enrolledIn(course);
    const [thread] = await db.sql<{ id: string }[]>`
      insert into discussion_threads (course_id, title, created_by)
      values (${course.id}, 'Joins', ${ann.id}) returning id`;
    return { iris, ann, bob, course, threadId: thread!.id };
  }

  /** Ann writes, past her own tab. */
  const write = (text: string) =>
    here.db.as(
      people.ann,
      (tx) => tx`
        insert into thread_messages (thread_id, sender_id, content)
        values (${people.threadId}, ${people.ann.id}, ${text})`,
    );

  it('shows what one writes to the other, once, with the name from the server', async () => {
    const ann = discussionThread(here.tab(people.ann), people.threadId);
    const bob = discussionThread(here.tab(people.bob), people.threadId);
    const seenByAnn = watch(ann);
    watch(bob);
    await Promise.all([until(ann, isLive), until(bob, isLive)]);
    ann.setDraft('Hel');
    ann.send('Hello');
    expect(seenByAnn.now).toMatchObject({
      draft: '',
      outgoing: [{ payload: { content: 'Hello' } }],
    });
    const seen = await until(bob, says('Hello'));
    expect(seen.messages).toMatchObject([{ number: 1, sender: { name: 'Ann One' } }]);
    expect(seen.unreadCount).toBe(1);
    await until(ann, ({ messages, outgoing }) => messages.length === 1 && outgoing.length === 0);
    // An event can be faster than its commit can be seen; who writes next has waited for that.
    await write('Next');
    expect(await bob.react(seen.messages[0]!.id, '👍', true)).toBe(true);
    await until(ann, ({ messages }) => messages[0]?.reactions[0]?.count === 1);
  });

  it('is locked while the other writes: refused with the reason, and nothing is lost', async () => {
    const bob = discussionThread(here.tab(people.bob), people.threadId);
    watch(bob);
    await until(bob, isLive);
    await here.db.as(
      people.iris,
      (tx) => tx`update discussion_threads set is_locked = true where id = ${people.threadId}`,
    );
    await until(bob, ({ thread }) => thread?.isLocked === true);
    const id = bob.send('Too late');
    const { outgoing } = await until(bob, (state) => state.outgoing[0]?.state === 'refused');
    expect(outgoing[0]?.error?.code).toBe('THREAD_LOCKED');
    expect(bob.discard(id)).toBe('Too late');
  });

  it('counts what is unread the same on every device', async () => {
    const [desk, phone] = [here.tab(people.bob), here.tab(people.bob)];
    const lists = [desk, phone].map((tab) => courseThreads(tab, people.course.id));
    const thread = discussionThread(desk, people.threadId);
    for (const list of lists) watch(list);
    watch(thread);
    await Promise.all([...lists.map((list) => until(list, isLive)), until(thread, isLive)]);
    for (const text of ['One', 'Two', 'Three']) await write(text);
    await here.db.sql`select private.tell_threads()`; // what the job does each second
    const unread = (count: number) => (state: CourseThreadsState) =>
      state.threads[0]?.unreadCount === count;
    await Promise.all(lists.map((list) => until(list, unread(3))));
    await until(thread, says('Three'));
    expect(await thread.markAsRead(2)).toBe(true);
    await Promise.all(lists.map((list) => until(list, unread(1))));
    expect(await thread.markAsUnread(1)).toBe(true);
    await Promise.all(lists.map((list) => until(list, unread(3))));
  });

  it('scrolls up from the end and down from a place, and jumps', async () => {
    await here.db.sql`
      insert into thread_messages (thread_id, sender_id, content)
      select ${people.threadId}, ${people.ann.id}, 'Number ' || at from generate_series(1, 30) as at`;
    const bob = discussionThread(here.tab(people.bob), people.threadId, { limit: 5 });
    const seen = watch(bob);
    const numbers = () => seen.now.messages.map(({ number }) => number);
    await until(bob, isLive);
    expect(numbers()).toEqual([26, 27, 28, 29, 30]);
    expect(await bob.loadOlder()).toBe(true);
    expect(numbers().at(0)).toBe(21);
    await bob.jumpTo({ around: 10 });
    expect(numbers()).toEqual([8, 9, 10, 11, 12]);
    expect(seen.now).toMatchObject({ hasOlder: true, hasNewer: true });
    expect(await bob.loadNewer()).toBe(true);
    expect(numbers().at(-1)).toBe(17);
    bob.send('At the end');
    await until(bob, says('At the end'));
    expect(seen.now.hasNewer).toBe(false);
  });
});
