import { expect, it } from 'vitest';
import { connectionOver } from '../connection/connection.ts';
import { FakeClock, settled } from '../testing/fake-clock.ts';
import { FakePage } from '../testing/fake-page.ts';
import { ModelNetwork } from '../testing/model-network.ts';
import { ModelTopics } from '../testing/model-topics.ts';
import { notModelled } from '../testing/not-modelled.ts';
import { watch } from '../testing/stage.ts';
import { FORGET_AFTER_MS, TELL_EVERY_MS, typing, type TypingOptions } from './typing-store.ts';

/** Ada's tab in a thread; what it tells the server, which never answers well. */
function scene(options?: TypingOptions) {
  const clock = new FakeClock();
  const told: unknown[] = [];
  const logged: string[] = [];
  const mutate = (input: unknown) => {
    told.push(input);
    return Promise.reject(new Error('The network is down'));
  };
  const { presence } = notModelled;
  const { live } = new ModelTopics(new ModelNetwork(), clock);
  const connection = connectionOver({
    ...{ userId: 'ada', transport: new ModelNetwork(), page: new FakePage(), clock },
    api: { ...notModelled, live, presence: { ...presence, typing: { mutate } } },
    log: (message) => logged.push(message),
  });
  const store = typing(connection, { threadId: 'joins' }, options);
  const seen = watch(store);
  const say = (name: string) => {
    const person = { id: name, name, avatarUrl: null };
    // What the topic's channel hears.
    const topic = connection.internals.topics.open('thread:joins');
    topic.said('typing', { person });
  };
  const names = () => seen.now.people.map(({ name }) => name);
  return { clock, told, logged, store, say, names };
}

it('tells once in a while that one is writing, and goes on when that fails', async () => {
  const { clock, told, logged, store } = scene();
  for (let key = 0; key < 5; key += 1) store.typed();
  await settled();
  expect(told).toEqual([{ threadId: 'joins' }]);
  expect(logged).toContain('typing not told');
  await clock.advance(TELL_EVERY_MS);
  store.typed();
  expect(told).toHaveLength(2);
});

it('shows who writes until they stop, or their message comes; never oneself', async () => {
  const { clock, store, say, names } = scene();
  for (const name of ['bob', 'cy', 'ada']) say(name);
  expect(names()).toEqual(['bob', 'cy']);
  store.stopped('bob');
  expect(names()).toEqual(['cy']);
  await clock.advance(FORGET_AFTER_MS - 1);
  say('cy');
  await clock.advance(FORGET_AFTER_MS - 1);
  expect(names()).toEqual(['cy']);
  await clock.advance(1);
  expect(names()).toEqual([]);
});

it('neither tells nor shows anything to whom wants none of it', () => {
  const { told, store, say, names } = scene({ isOff: true });
  store.typed();
  say('bob');
  expect([told, names()]).toEqual([[], []]);
});
