import { expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import { calendarEventSchema, calendarOutput } from './contract.ts';

it('is read with the secret of its address, until that is replaced or removed', async () => {
  await using room = await classroom();
  const course = await room.db.a.course().taughtBy(await room.db.a.instructor());
  const workshop = await room.db.a.workshop(course, { capacity: 1 });
  const [ann, bob] = await Promise.all(
    ['Ann', 'Bob'].map(async (firstName) =>
      room.as(await room.db.a.student({ firstName }).enrolledIn(course)),
    ),
  );
  const nobody = await room.as(null);
  const workshopId = workshop.id;
  await ann!.workshops.register.mutate({ workshopId });
  await bob!.workshops.register.mutate({ workshopId });

  expect(await ann!.calendar.address.query()).toEqual({ token: null });
  const { token } = await ann!.calendar.renew.mutate();
  expect(await ann!.calendar.address.query()).toEqual({ token });
  const calendar = await nobody.calendar.feed.query({ token: token! });
  expect(calendarOutput.safeParse(calendar).error).toBeUndefined();
  expect(calendar.items).toMatchObject([{ id: workshopId, sequence: 0, status: 'confirmed' }]);

  // What Bob has is his: a place once Ann has given hers back, which makes hers a cancelled one.
  const waiting = await bob!.calendar.event.query({ workshopId });
  expect(calendarEventSchema.parse(waiting)).toMatchObject({ status: 'tentative', sequence: 0 });
  await ann!.workshops.unregister.mutate({ workshopId });
  expect(await bob!.calendar.event.query({ workshopId })).toMatchObject({
    status: 'confirmed',
    sequence: 1,
  });
  expect((await nobody.calendar.feed.query({ token: token! })).items).toMatchObject([
    { status: 'cancelled', sequence: 1 },
  ]);

  const renewed = await ann!.calendar.renew.mutate();
  const gone = () => refusal(nobody.calendar.feed.query({ token: token! }));
  expect((await gone()).appCode).toBe('CALENDAR_NOT_FOUND');
  await ann!.calendar.remove.mutate();
  const ended = await refusal(nobody.calendar.feed.query({ token: renewed.token! }));
  expect(ended.appCode).toBe('CALENDAR_NOT_FOUND');
  const stranger = await room.as(await room.db.a.student());
  expect((await refusal(stranger.calendar.event.query({ workshopId }))).appCode).toBe(
    'WORKSHOP_NOT_FOUND',
  );
});
