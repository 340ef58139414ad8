import { expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import { meOutput } from './contract.ts';

it('shows users themselves', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const me = await (await room.as(ann)).identity.me.query();
  expect(meOutput.safeParse(me).error).toBeUndefined();
  expect(me).toMatchObject({ id: ann.id, email: ann.email, role: 'student' });
});

it('changes what is named, and nothing else', async () => {
  await using room = await classroom();
  const { identity } = await room.as(await room.db.a.student());
  const before = await identity.me.query();
  const change = { firstName: ' Zoe ', timeZone: 'Europe/Vienna' };
  expect(await identity.updateMe.mutate(change)).toEqual({
    ...before,
    firstName: 'Zoe',
    timeZone: 'Europe/Vienna',
  });
});

it('never takes a role, an address or a state', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const { identity } = await room.as(ann);
  const change = { firstName: 'Zoe', role: 'admin', email: 'root@homeroom.test', isActive: false };
  const me = await identity.updateMe.mutate(change);
  expect(me).toMatchObject({ firstName: 'Zoe', role: 'student', email: ann.email });
});

it('names the field that is not valid', async () => {
  await using room = await classroom();
  const { identity } = await room.as(await room.db.a.student());
  const bad = [
    { change: { timeZone: 'Mars/Olympus' }, field: 'timeZone' },
    { change: { firstName: '  ' }, field: 'firstName' },
    { change: { avatarUrl: 'javascript:alert(1)' }, field: 'avatarUrl' },
    { change: {}, field: '' },
  ];
  for (const { change, field } of bad) {
    const refused = await refusal(identity.updateMe.mutate(change));
    expect(refused).toMatchObject({ httpStatus: 400, fields: [{ field }] });
  }
});

it('shows nobody nothing', async () => {
  await using room = await classroom();
  const { identity } = await room.as(null);
  expect(await refusal(identity.me.query())).toMatchObject({ httpStatus: 401 });
  const change = { firstName: 'Zoe' };
  expect(await refusal(identity.updateMe.mutate(change))).toMatchObject({ httpStatus: 401 });
});
