import { schema } from '@homeroom/db';
import { describe, expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import {
  attendanceEventSchemas,
  attendanceOutput,
  listOutput,
  viewOutput,
  workshopEventSchemas,
} from './contract.ts';
import { CHECK_IN_METHODS } from './kinds-contract.ts';

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

/** A workshop for one that has just begun, planned through the API; Ann and Bob are in its course. */
async function evening() {
  const room = await classroom({ rateLimits: { query: 10_000, mutation: 10_000 } });
  const iris = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(iris);
  const ann = await room.db.a.student({ firstName: 'Ann', lastName: 'One' }).enrolledIn(course);
  const bob = await room.db.a.student().enrolledIn(course);
  const asIris = await room.as(iris);
  const plan = {
    courseId: course.id,
    title: 'Dice',
    startsAt: inMinutes(-2),
    endsAt: inMinutes(60),
    timeZone: 'Europe/Stockholm',
    meetingUrl: 'https://meet.example.test/dice',
    capacity: 1,
  };
  const { workshop } = await asIris.workshops.plan.mutate(plan);
  const end = () => room[Symbol.asyncDispose]();
  const [asAnn, asBob] = [await room.as(ann), await room.as(bob)];
  return {
    room,
    course,
    ann,
    bob,
    plan,
    workshop,
    asIris,
    asAnn,
    asBob,
    [Symbol.asyncDispose]: end,
  };
}

it('knows the same ways of checking in as the database', () => {
  expect(CHECK_IN_METHODS).toEqual(schema.attendanceLog.method.enumValues);
});

describe('a workshop', () => {
  it('is planned, changed and cancelled by the staff of its course only', async () => {
    await using here = await evening();
    const workshopId = here.workshop.id;
    expect((await refusal(here.asAnn.workshops.plan.mutate(here.plan))).appCode).toBe(
      'ROLE_FORBIDDEN',
    );
    const other = await here.room.as(await here.room.db.a.instructor());
    expect((await refusal(other.workshops.plan.mutate(here.plan))).appCode).toBe('FORBIDDEN');
    const change = { workshopId, capacity: 5, title: 'Fair dice' };
    expect((await refusal(other.workshops.change.mutate(change))).appCode).toBe(
      'WORKSHOP_NOT_FOUND',
    );
    const changed = await here.asIris.workshops.change.mutate(change);
    expect(changed.workshop).toMatchObject({ capacity: 5, title: 'Fair dice' });
    const bad = here.asIris.workshops.plan.mutate({ ...here.plan, timeZone: 'Mars/Olympus' });
    expect((await refusal(bad)).appCode).toBe('INPUT_INVALID');
    const link = { ...here.plan, meetingUrl: 'javascript:alert(1)' };
    expect((await refusal(here.asIris.workshops.plan.mutate(link))).httpStatus).toBe(400);
    const cancelled = await here.asIris.workshops.cancel.mutate({ workshopId });
    expect(cancelled.workshop.status).toBe('cancelled');
  });

  it('is listed and shown with one’s own place, and its address only to those who have one', async () => {
    await using here = await evening();
    const workshopId = here.workshop.id;
    await here.asAnn.workshops.register.mutate({ workshopId });
    const waiting = await here.asBob.workshops.register.mutate({ workshopId });
    expect(waiting.registration.status).toBe('waitlisted');
    const list = await here.asAnn.workshops.list.query({ courseId: here.course.id });
    expect(listOutput.safeParse(list).error).toBeUndefined();
    expect(list.data.items).toMatchObject([
      { counts: { registered: 1, waitlisted: 1 }, mine: { status: 'registered' } },
    ]);
    const seen = await here.asAnn.workshops.view.query({ workshopId });
    expect(viewOutput.safeParse(seen).error).toBeUndefined();
    expect(seen.data.meetingUrl).toBe(here.plan.meetingUrl);
    expect((await here.asBob.workshops.view.query({ workshopId })).data.meetingUrl).toBeNull();
    await here.asAnn.workshops.unregister.mutate({ workshopId });
    expect((await here.asBob.workshops.view.query({ workshopId })).data).toMatchObject({
      mine: { status: 'registered' },
      meetingUrl: here.plan.meetingUrl,
    });
    const stranger = await here.room.as(await here.room.db.a.student());
    expect((await refusal(stranger.workshops.view.query({ workshopId }))).appCode).toBe(
      'WORKSHOP_NOT_FOUND',
    );
  });
});

describe('attendance', () => {
  it('is taken by hand and by code, undone for a reason, and told as the contract says', async () => {
    await using here = await evening();
    const workshopId = here.workshop.id;
    await here.asAnn.workshops.register.mutate({ workshopId });
    const { code } = await here.asIris.attendance.code.query({ workshopId });
    const seenAt = new Date().toISOString();
    const checked = await here.asAnn.attendance.checkInByCode.mutate({ workshopId, code, seenAt });
    expect(checked.registration).toMatchObject({ status: 'checked_in', method: 'code' });
    const userId = here.bob.id;
    await here.asIris.attendance.checkIn.mutate({ workshopId, userId });
    await here.asIris.attendance.undo.mutate({ workshopId, userId, reason: 'Not Bob' });
    const list = await here.asIris.attendance.list.query({ workshopId });
    expect(attendanceOutput.safeParse(list).error).toBeUndefined();
    expect(list.data).toMatchObject({
      counts: { registered: 1, checkedIn: 1 },
      participants: [{ person: { name: 'Ann One' }, presence: 'offline', secondsPresent: 0 }],
    });
    for (const [topic, schemas] of [
      [`workshop:${workshopId}`, workshopEventSchemas],
      [`workshop:${workshopId}:staff`, attendanceEventSchemas],
    ] as const) {
      const since = await here.asIris.live.since.query({ topic, seq: 0 });
      if (since.status !== 'events') throw new Error('too old');
      expect(since.events.length).toBeGreaterThan(2);
      for (const { event, data } of since.events) {
        const all = schemas as typeof attendanceEventSchemas;
        expect(all[event as keyof typeof all].safeParse(data).error, event).toBeUndefined();
      }
    }
    const { csv, fileName } = await here.asIris.attendance.export.query({ workshopId });
    expect(fileName).toMatch(/\.csv$/);
    expect(csv.trimEnd().split('\r\n')).toHaveLength(4);
  });

  it('refuses a wrong code and counts it, also across calls', async () => {
    await using here = await evening();
    const workshopId = here.workshop.id;
    await here.asAnn.workshops.register.mutate({ workshopId });
    const { code } = await here.asIris.attendance.code.query({ workshopId });
    const guess = (digits: string) =>
      refusal(
        here.asAnn.attendance.checkInByCode.mutate({
          workshopId,
          code: digits,
          seenAt: new Date().toISOString(),
        }),
      );
    const wrong = code === '123456' ? '654321' : '123456';
    for (let turn = 0; turn < 5; turn += 1) {
      expect((await guess(wrong)).appCode).toBe('CODE_WRONG');
    }
    const held = await guess(code);
    expect(held).toMatchObject({ httpStatus: 429 });
    expect(held.retryAfterSeconds).toBeGreaterThan(500);
  });

  it('is the staff’s: students neither see the list nor the code, nor check in others', async () => {
    await using here = await evening();
    const workshopId = here.workshop.id;
    const userId = here.bob.id;
    const { attendance } = here.asAnn;
    for (const attempt of [
      () => attendance.list.query({ workshopId }),
      () => attendance.code.query({ workshopId }),
      () => attendance.checkIn.mutate({ workshopId, userId }),
      () => attendance.undo.mutate({ workshopId, userId, reason: 'x' }),
      () => attendance.export.query({ workshopId }),
    ]) {
      expect((await refusal(attempt())).appCode).toBe('ROLE_FORBIDDEN');
    }
    const other = (await here.room.as(await here.room.db.a.instructor())).attendance;
    for (const attempt of [
      () => other.list.query({ workshopId }),
      () => other.code.query({ workshopId }),
      () => other.checkIn.mutate({ workshopId, userId }),
      () => other.export.query({ workshopId }),
    ]) {
      expect((await refusal(attempt())).appCode).toBe('WORKSHOP_NOT_FOUND');
    }
  });
});
