import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../connection/connection.ts';
import { liveQuery } from '../live-query/live-query.ts';
import { notifications, type NotificationsState } from './store.ts';
import { until, watch } from '../testing/stage.ts';
import { school, type School } from '../testing/school.ts';

const titles = ({ list }: NotificationsState) => list.map(({ title }) => title);
const isLive = ({ status }: { status: string }) => status === 'live';
const isPolling = ({ status }: { status: string }) => status === 'polling';
const hasTitles = (count: number) => (state: NotificationsState) => state.list.length === count;

/** The real thing: Postgres, the stack's gateway, the API, and a socket. */
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

  it('stops following a course at once when the right to it is taken away', async () => {
    const course = await here.db.a.course();
    const ada = await here.db.a.student().enrolledIn(course);
    const tab = here.tab(ada);
    watch(notifications(tab)); // the bell, on every page
    const { query } = numbers(tab, `course:${course.id}`);
    watch(query);
    await until(query, isLive);
    await until(tab, isLive);
    await here.db.sql`delete from public.enrollments where user_id = ${ada.id}`;
    const removedAt = Date.now();
    const stopped = await until(query, ({ status }) => status === 'stopped');
    expect(stopped).toMatchObject({ error: { code: 'TOPIC_FORBIDDEN' } });
    expect(Date.now() - removedAt).toBeLessThan(1_000);
  });

  it('hears everything once and in order while others lose the right to the course', async () => {
    const course = await here.db.a.course();
    const topic = `course:${course.id}`;
    const ada = await here.db.a.student().enrolledIn(course);
    const { query, seqs } = numbers(here.tab(ada), topic);
    watch(query);
    await until(query, isLive);
    for (let round = 0; round < 5; round += 1) {
      const bob = await here.db.a.student().enrolledIn(course);
      const leave = here.db.sql`delete from public.enrollments where user_id = ${bob.id}`;
      const publish = (number: number) => here.db.sql`
        select private.publish(${topic}, 'tested', jsonb_build_object('number', ${number}::integer))`;
      await Promise.all([publish(1), leave, publish(2), publish(3)]);
      await publish(4);
    }
    const shown = await until(query, ({ data, status }) => data === 20 && status === 'live');
    expect(shown.error).toBeUndefined();
    expect(seqs).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it('joins a topic that has moved before, without being refused first', async () => {
    const course = await here.db.a.course();
    const [ada, bob] = [
      await here.db.a.student().enrolledIn(course),
      await here.db.a.student().enrolledIn(course),
    ];
    await here.db.sql`delete from public.enrollments where user_id = ${bob.id}`;
    const { query, seqs } = numbers(here.tab(ada), `course:${course.id}`);
    watch(query);
    await until(query, isLive);
    await here.db.sql`select private.publish(${`course:${course.id}`}, 'tested', '{}')`;
    await until(query, ({ data }) => data === 1);
    expect(seqs).toEqual([1]);
  });

  it('stops when the person may not come in any more', async () => {
    const ada = await here.db.a.student();
    const store = notifications(here.tab(ada));
    watch(store);
    await until(store, isLive);
    await here.db.sql`update public.users set is_active = false where id = ${ada.id}`;
    const stopped = await until(store, ({ status }) => status === 'stopped');
    expect(stopped.error).toMatchObject({ retryable: false });
  });
});

/** A live query of the number of the last event applied, and all of these numbers. */
function numbers(connection: Connection, topic: string) {
  const seqs: number[] = [];
  const query = liveQuery<number>({
    connection,
    topic,
    load: () => Promise.resolve({ data: 0, cursor: { topic, seq: 0 } }),
    apply: (_, { seq }) => (seqs.push(seq), seq),
  });
  return { query, seqs };
}
