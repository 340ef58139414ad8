import { describe, expect, it } from 'vitest';
import { LIVE_ERRORS } from '../connection/errors.ts';
import { inertConnection } from '../connection/inert.ts';
import { settled } from '../testing/fake-clock.ts';
import { healthyStage, modelStage, watch, type ModelStage } from '../testing/stage.ts';
import { liveQuery } from './live-query.ts';
import { notModelled } from '../testing/not-modelled.ts';

/** A live query whose data is how many events the topic has had. */
function counting(
  { connection, server }: Pick<ModelStage, 'connection' | 'server'>,
  topic?: string,
) {
  return liveQuery<number>({
    connection,
    topic: topic ?? server.topic,
    load: async () => {
      const { cursor } = await connection.api.notifications.list.query({});
      return { data: cursor.seq, cursor };
    },
    apply: (count) => count + 1,
  });
}

describe('a live query', () => {
  it('says what it is doing: connecting, catching up, live', async () => {
    const stage = modelStage();
    const shown = watch(counting(stage));
    expect(shown.now.status).toBe('connecting');
    stage.network.openSocket();
    stage.network.acceptJoin(0);
    expect(shown.now.status).toBe('catching-up');
    stage.network.answerAll();
    await settled();
    expect(shown.now).toMatchObject({ status: 'live', data: 0, error: undefined });
  });

  it('polls while Realtime is away, says so, and is live again when it is back', async () => {
    const stage = await healthyStage();
    const shown = watch(counting(stage));
    await settled();
    await stage.network.killRealtime();
    stage.server.create('message');
    expect(shown.now).toMatchObject({ status: 'connecting', data: 0 });
    await stage.clock.advance(3_000);
    expect(shown.now).toMatchObject({ status: 'polling', data: 1 });
    stage.server.create('message');
    await stage.clock.advance(7_500);
    expect(shown.now).toMatchObject({ status: 'polling', data: 2 });
    stage.network.startRealtime();
    await settled();
    expect(shown.now).toMatchObject({ status: 'live', data: 2 });
  });

  it('keeps its data and says why when nothing answers', async () => {
    const stage = await healthyStage();
    stage.server.create('message');
    const shown = watch(counting(stage));
    await settled();
    stage.network.fallIll();
    stage.network.cutSocket();
    await stage.clock.advance(3_000);
    stage.network.failCall(0);
    await settled();
    expect(shown.now).toMatchObject({ status: 'offline', data: 1, error: { code: 'UNREACHABLE' } });
  });

  it('asks nothing while the page is hidden, and catches up when it is shown', async () => {
    const stage = await healthyStage();
    const shown = watch(counting(stage));
    await settled();
    stage.page.send('hidden');
    await stage.network.killRealtime();
    const calls = stage.network.callsSent;
    stage.server.create('message');
    await stage.clock.advance(600_000);
    expect(stage.network.callsSent).toBe(calls);
    stage.page.send('shown');
    await stage.clock.advance(1);
    expect(shown.now).toMatchObject({ status: 'polling', data: 1 });
  });

  it('finds out within two minutes and a half that the last broadcast was lost', async () => {
    const stage = await healthyStage();
    const shown = watch(counting(stage));
    await settled();
    stage.network.fallIll();
    stage.server.create('message');
    stage.network.dropFrame(0);
    stage.network.heal();
    expect(shown.now).toMatchObject({ status: 'live', data: 0 });
    await stage.clock.advance(150_000);
    expect(shown.now).toMatchObject({ status: 'live', data: 1 });
  });

  it('stops when the right is lost, keeps what it had, and tries again when asked', async () => {
    const stage = await healthyStage();
    const query = counting(stage);
    const shown = watch(query);
    await settled();
    const error = LIVE_ERRORS.topicForbidden;
    stage.network.endChannel(0, { kind: 'refused', reason: 'Unauthorized', error });
    await settled();
    expect(shown.now).toMatchObject({ status: 'stopped', data: 0, error });
    const calls = stage.network.callsSent;
    await stage.clock.advance(600_000);
    expect(stage.network.callsSent).toBe(calls);
    await query.refresh();
    await settled();
    expect(shown.now).toMatchObject({ status: 'live', error: undefined });
  });

  it('shares one channel with others, and leaves it some seconds after the last', async () => {
    const stage = await healthyStage();
    const first = watch(counting(stage));
    const second = watch(counting(stage));
    await settled();
    expect(stage.network.joined).toEqual([stage.server.topic]);
    first.stop();
    second.stop();
    await stage.clock.advance(4_000);
    expect(stage.network.joined).toEqual([stage.server.topic]);
    const third = watch(counting(stage));
    await stage.clock.advance(60_000);
    expect(third.now.status).toBe('live');
    third.stop();
    await stage.clock.advance(6_000);
    expect(stage.network.joined).toEqual([]);
  });

  it('asks for what it missed while nobody subscribed, also on a joined topic', async () => {
    const stage = await healthyStage();
    const query = counting(stage);
    watch(counting(stage));
    watch(query).stop();
    const back = watch(query);
    await settled();
    back.stop();
    stage.server.create('message');
    const again = watch(query);
    expect(again.now).toMatchObject({ data: 0, status: 'catching-up' });
    await settled();
    expect(again.now).toMatchObject({ data: 1, status: 'live' });
  });

  it('refuses a seventh topic with a word on what to do', async () => {
    const stage = await healthyStage();
    for (let number = 1; number <= 6; number += 1) watch(counting(stage, `course:${number}`));
    const shown = watch(counting(stage));
    expect(shown.now).toMatchObject({ status: 'stopped', error: { code: 'TOO_MANY_TOPICS' } });
    expect(shown.now.error?.message).toContain('Unsubscribe');
  });

  it('says so when its snapshot is numbered by another topic', async () => {
    const stage = await healthyStage();
    const shown = watch(counting(stage, 'course:1'));
    await settled();
    expect(shown.now).toMatchObject({ status: 'stopped', error: { code: 'WRONG_TOPIC' } });
  });

  it('shows its initial data, and does nothing else, during server-side rendering', async () => {
    const { server } = modelStage();
    let asked = 0;
    const connection = inertConnection({
      url: '',
      apikey: '',
      userId: 'ada',
      api: { ...notModelled, ...server.api },
      getToken: () => {
        asked += 1;
        return Promise.resolve(null);
      },
    });
    const cursor = { topic: server.topic, seq: 3 };
    const shown = watch(
      liveQuery<number>({
        connection,
        topic: server.topic,
        load: () => {
          asked += 1;
          return Promise.resolve({ data: 0, cursor });
        },
        apply: (count) => count,
        initial: { data: 3, cursor },
      }),
    );
    await settled();
    expect(shown.past).toEqual([
      { status: 'connecting', data: 3, error: undefined, lastEventAt: undefined },
    ]);
    expect(asked).toBe(0);
  });
});
