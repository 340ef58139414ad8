import { expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import { mineOutput } from './contract.ts';

const NO_COURSE = '00000000-0000-4000-8000-000000000000';

it('enrolls, once, however often it is asked', async () => {
  await using room = await classroom();
  const course = await room.db.a.course().taughtBy(await room.db.a.instructor());
  const { enrollment } = await room.as(await room.db.a.student());

  const first = await enrollment.enroll.mutate({ courseId: course.id });
  expect(first).toMatchObject({ courseId: course.id, isNew: true });
  const second = await enrollment.enroll.mutate({ courseId: course.id });
  expect(second).toEqual({ ...first, isNew: false });
  const mine = await enrollment.mine.query({});
  expect(mineOutput.safeParse(mine).error).toBeUndefined();
  expect(mine.data.items).toMatchObject([{ courseId: course.id, progressPercent: 0 }]);
});

it('enrolls once when it is asked many times at the same moment', async () => {
  await using room = await classroom();
  const course = await room.db.a.course().taughtBy(await room.db.a.instructor());
  const student = await room.db.a.student();
  const { enrollment } = await room.as(student);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => enrollment.enroll.mutate({ courseId: course.id })),
  );
  expect(answers.filter((answer) => answer.isNew)).toHaveLength(1);
  expect(new Set(answers.map((answer) => answer.enrolledAt)).size).toBe(1);
});

it('rings the bell of everybody who teaches the course', async () => {
  await using room = await classroom();
  const instructor = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(instructor);
  const { enrollment } = await room.as(await room.db.a.student());
  await enrollment.enroll.mutate({ courseId: course.id });
  const { data } = await (await room.as(instructor)).notifications.list.query({});
  expect(data).toMatchObject({
    items: [{ type: 'enrollment', courseId: course.id, count: 1, readAt: null }],
    unreadCount: 1,
  });
});

it('does not know courses that are not there, and takes no bad ids', async () => {
  await using room = await classroom();
  const { enrollment } = await room.as(await room.db.a.student());
  expect(await refusal(enrollment.enroll.mutate({ courseId: NO_COURSE }))).toMatchObject({
    httpStatus: 404,
    appCode: 'COURSE_NOT_FOUND',
  });
  expect(await refusal(enrollment.enroll.mutate({ courseId: '1' }))).toMatchObject({
    httpStatus: 400,
    fields: [{ field: 'courseId' }],
  });
});

it("shows only one's own, and nobody nothing", async () => {
  await using room = await classroom();
  const course = await room.db.a.course().taughtBy(await room.db.a.instructor());
  await (
    await room.as(await room.db.a.student())
  ).enrollment.enroll.mutate({ courseId: course.id });
  const other = await room.as(await room.db.a.student());
  expect((await other.enrollment.mine.query({})).data.items).toEqual([]);
  const { enrollment } = await room.as(null);
  expect(await refusal(enrollment.mine.query({}))).toMatchObject({ httpStatus: 401 });
  const enrolling = enrollment.enroll.mutate({ courseId: course.id });
  expect(await refusal(enrolling)).toMatchObject({ httpStatus: 401 });
});
