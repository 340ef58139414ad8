import { expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import { presenceEventSchemas, presenceOutput } from './contract.ts';

it('shows who is there to those who may read, and tells it as the contract says', async () => {
  await using room = await classroom();
  const course = await room.db.a.course();
  const ann = await room.db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
  const bob = await room.db.a.student().enrolledIn(course);
  const place = `course:${course.id}`;
  const asAnn = await room.as(ann);
  const asBob = await room.as(bob);
  await asAnn.presence.keep.mutate({ place, status: 'online' });
  const seen = await asBob.presence.list.query({ place });
  expect(presenceOutput.safeParse(seen).error).toBeUndefined();
  expect(seen.data.people).toMatchObject([{ person: { name: 'Ann One' }, status: 'online' }]);

  await asAnn.presence.settings.set.mutate({ isInvisible: true });
  expect(await asAnn.presence.settings.get.query()).toEqual({ isInvisible: true });
  await asAnn.presence.keep.mutate({ place, status: 'online' });
  expect((await asBob.presence.list.query({ place })).data).toEqual({ onlineCount: 0, people: [] });
  const since = await asBob.live.since.query({ topic: place, seq: 0 });
  if (since.status !== 'events') throw new Error('too old');
  expect(since.events.map(({ event }) => event)).toEqual(['presence.changed', 'presence.changed']);
  for (const { data } of since.events) {
    expect(presenceEventSchemas['presence.changed'].safeParse(data).error).toBeUndefined();
  }

  const stranger = await room.as(await room.db.a.student());
  const { presence } = stranger;
  expect((await refusal(presence.list.query({ place }))).appCode).toBe('TOPIC_FORBIDDEN');
  const claim = presence.keep.mutate({ place, status: 'online' });
  expect((await refusal(claim)).appCode).toBe('TOPIC_FORBIDDEN');
  const elsewhere = presence.keep.mutate({ place: `user:${ann.id}`, status: 'online' });
  expect((await refusal(elsewhere)).appCode).toBe('INPUT_INVALID');
});
