import { expect, it } from 'vitest';
import { settled } from '../testing/fake-clock.ts';
import { healthyStage, watch, type ModelStage } from '../testing/stage.ts';
import { reloaded } from './reloaded.ts';

/** How many are unread, loaded anew with each notification that comes. */
function unread({ connection, server }: ModelStage) {
  const loads: number[] = [];
  const store = reloaded({
    connection,
    topic: server.topic,
    load: async () => {
      const { data, cursor } = await connection.api.notifications.list.query({});
      loads.push(cursor.seq);
      return { data: data.unreadCount, cursor };
    },
    concerns: ({ event }) => event === 'notification.created',
  });
  return { loads, shown: watch(store) };
}

it('loads anew what an event has made old', async () => {
  const stage = await healthyStage();
  const { shown } = unread(stage);
  await settled();
  stage.server.create('message');
  await settled();
  expect(shown.now).toMatchObject({ status: 'live', data: 1 });
});

it('loads nothing for events that don’t concern it', async () => {
  const stage = await healthyStage();
  stage.server.create('message');
  const { loads } = unread(stage);
  await settled();
  stage.server.setRead(stage.server.list({})[0]?.id ?? '', true);
  await settled();
  expect(loads).toHaveLength(1);
});

it('loads once for many events at once, and ends with the newest', async () => {
  const stage = await healthyStage();
  const { shown, loads } = unread(stage);
  await settled();
  for (let count = 0; count < 20; count += 1) stage.server.create('message');
  await settled();
  expect(shown.now.data).toBe(20);
  expect(loads.length).toBeLessThanOrEqual(3);
});
