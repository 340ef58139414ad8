import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { liveQuery } from '../live-query/live-query.ts';
import { notifications, type NotificationsState } from './store.ts';
import { until, watch } from '../testing/stage.ts';
import { school, type School } from '../testing/school.ts';

const titles = ({ list }: NotificationsState) => list.map(({ title }) => title);
const isLive = ({ status }: { status: string }) => status === 'live';
const isPolling = ({ status }: { status: string }) => status === 'polling';
const hasTitles = (count: number) => (state: NotificationsState) => state.list.length === count;

/** The real thing: Postgres, the stack's gateway, the API, and realtime-js. */
describe('a tab on the real stack', () => {
  let here: School;
  beforeEach(async () => {
    here = await school();
  });
  afterEach(() => here[Symbol.asyncDispose]());

  it('shows a notification that somebody else’s change has caused', async () => {
    const ada = await here.db.a.instructor();
    const store = notifications(here.tab(ada));
    const shown = watch(store);
    await until(store, isLive);
    await here.notify(ada, 'Hello');
    await until(store, hasTitles(1));
    expect(titles(shown.now)).toEqual(['Hello']);
    expect(shown.now).toMatchObject({ unreadCount: 1, status: 'live' });
    expect(shown.now.latencyMs).toBeGreaterThanOrEqual(0);
  });

  it('is read in one tab and then in the other', async () => {
    const ada = await here.db.a.instructor();
    const [desk, phone] = [notifications(here.tab(ada)), notifications(here.tab(ada))];
    const onPhone = watch(phone);
    const onDesk = watch(desk);
    await Promise.all([until(desk, isLive), until(phone, isLive)]);
    await here.notify(ada, 'Hello');
    await Promise.all([until(desk, hasTitles(1)), until(phone, hasTitles(1))]);
    expect(await desk.markAsRead(onDesk.now.list[0]?.id ?? '')).toBe(true);
    await until(phone, ({ unreadCount }) => unreadCount === 0);
    expect(onPhone.now.list[0]?.readAt).not.toBeNull();
    await here.notify(ada, 'Again');
    await until(desk, hasTitles(2));
    expect(await desk.markAllAsRead()).toBe(true);
    await until(phone, ({ unreadCount, list }) => unreadCount === 0 && list.length === 2);
  });

  it('has everything that happened while its sockets were cut, once each and in order', async () => {
    const ada = await here.db.a.instructor();
    const tab = here.tab(ada);
    const store = notifications(tab);
    const shown = watch(store);
    const seqs: number[] = [];
    const log = liveQuery<number>({
      connection: tab,
      topic: `user:${ada.id}`,
      load: async () => {
        const { cursor } = await tab.api.notifications.list.query({ limit: 1 });
        return { data: cursor.seq, cursor };
      },
      apply: (_, { seq }) => (seqs.push(seq), seq),
    });
    watch(log);
    await Promise.all([until(store, isLive), until(log, isLive)]);

    await here.gateway.stopRealtime();
    for (let number = 1; number <= 10; number += 1) await here.notify(ada, `Number ${number}`);
    await here.gateway.startRealtime();
    await until(store, (state) => isLive(state) && state.list.length === 10);
    await until(log, ({ data }) => data === 10);

    expect(titles(shown.now)).toEqual(
      Array.from({ length: 10 }, (_, index) => `Number ${10 - index}`),
    );
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(tab.metrics().reconnects).toBe(1);
  });

  it('polls while Realtime is away, says so, and is live again when it is back', async () => {
    const ada = await here.db.a.instructor();
    const tab = here.tab(ada);
    const store = notifications(tab);
    watch(store);
    await until(store, isLive);
    await here.gateway.stopRealtime();
    await until(tab, isPolling);
    await here.notify(ada, 'By polling');
    expect(await until(store, hasTitles(1))).toMatchObject({ status: 'polling' });
    await here.gateway.startRealtime();
    await until(tab, isLive);
    await here.notify(ada, 'Live again');
    expect(await until(store, hasTitles(2))).toMatchObject({ status: 'live' });
  });

  it('outlives its tokens without leaving the channel', async () => {
    const ada = await here.db.a.instructor();
    const tab = here.tab(ada, { tokenSeconds: 3 });
    const store = notifications(tab);
    const shown = watch(store);
    await until(store, isLive);
    await expect.poll(() => tab.tokens.length, { timeout: 10_000 }).toBeGreaterThan(2);
    await here.notify(ada, 'Still here');
    await until(store, hasTitles(1));
    const wentLive = shown.past.findIndex(isLive);
    expect(shown.past.slice(wentLive).every(isLive)).toBe(true);
  });

  it('is refused another’s topic, for good, and says so', async () => {
    const ada = await here.db.a.instructor();
    const bob = await here.db.a.student();
    const tab = here.tab(bob);
    const query = liveQuery<number>({
      connection: tab,
      topic: `user:${ada.id}`,
      load: () => Promise.resolve({ data: 0, cursor: { topic: `user:${ada.id}`, seq: 0 } }),
      apply: (count) => count + 1,
    });
    watch(query);
    const stopped = await until(query, ({ status }) => status === 'stopped');
    expect(stopped.error?.code).toBe('TOPIC_FORBIDDEN');
  });

  it('stops following a course when the right to it is taken away', async () => {
    const course = await here.db.a.course();
    const ada = await here.db.a.student().enrolledIn(course);
    const topic = `course:${course.id}`;
    const query = liveQuery<number>({
      connection: here.tab(ada, { tokenSeconds: 4 }),
      topic,
      load: () => Promise.resolve({ data: 0, cursor: { topic, seq: 0 } }),
      apply: (count) => count + 1,
    });
    watch(query);
    await until(query, isLive);
    await here.db.sql`
      delete from public.enrollments where user_id = ${ada.id} and course_id = ${course.id}`;
    const stopped = await until(query, ({ status }) => status === 'stopped');
    expect(stopped).toMatchObject({ error: { code: 'TOPIC_FORBIDDEN' } });
  });
});
