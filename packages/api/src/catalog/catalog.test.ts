import { expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import { courseOutput, listOutput, teachingOutput } from './contract.ts';

it('lists the published courses, page after page, each once', async () => {
  await using room = await classroom();
  const instructor = await room.db.a.instructor();
  const ids = [];
  for (let made = 0; made < 5; made += 1) {
    ids.unshift((await room.db.a.course().taughtBy(instructor)).id);
  }
  const { catalog } = await room.as(await room.db.a.student());

  const seen: string[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await catalog.list.query({ limit: 2, cursor: cursor ?? undefined });
    expect(listOutput.safeParse(page).error).toBeUndefined();
    seen.push(...page.items.map((course) => course.id));
    cursor = page.nextCursor;
  } while (cursor);
  expect(seen).toEqual(ids);
});

it('says in which courses the reader is enrolled, and who teaches them', async () => {
  await using room = await classroom();
  const instructor = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(instructor);
  const { catalog, enrollment } = await room.as(await room.db.a.student());
  expect((await catalog.list.query({})).items[0]).toMatchObject({
    isEnrolled: false,
    instructors: [{ id: instructor.id, name: expect.stringMatching(/\w/) as string }],
  });
  await enrollment.enroll.mutate({ courseId: course.id });
  expect((await catalog.list.query({})).items[0]).toMatchObject({ isEnrolled: true });
});

it('shows a course by its id and by its slug', async () => {
  await using room = await classroom();
  const course = await room.db.a.course().taughtBy(await room.db.a.instructor());
  const { catalog } = await room.as(await room.db.a.student());
  const byId = await catalog.course.query({ courseId: course.id });
  expect(courseOutput.safeParse(byId).error).toBeUndefined();
  expect(await catalog.course.query({ slug: byId.slug })).toEqual(byId);
});

it('does not know a course that is not there', async () => {
  await using room = await classroom();
  const { catalog } = await room.as(await room.db.a.student());
  const missing = { httpStatus: 404, appCode: 'COURSE_NOT_FOUND' };
  expect(await refusal(catalog.course.query({ slug: 'no-such-course' }))).toMatchObject(missing);
  const nothing = catalog.course.query({} as { slug: string });
  expect(await refusal(nothing)).toMatchObject({ httpStatus: 400, appCode: 'INPUT_INVALID' });
});

it("lists an instructor's courses with their students, and nobody else's", async () => {
  await using room = await classroom();
  const instructor = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(instructor);
  await room.db.a.course().taughtBy(await room.db.a.instructor());
  const student = await room.as(await room.db.a.student());
  await student.enrollment.enroll.mutate({ courseId: course.id });
  const taught = await (await room.as(instructor)).catalog.teaching.query({});
  expect(teachingOutput.safeParse(taught).error).toBeUndefined();
  expect(taught.data.items).toMatchObject([{ id: course.id, studentCount: 1, completedCount: 0 }]);
  expect(await refusal(student.catalog.teaching.query({}))).toMatchObject({
    httpStatus: 403,
    appCode: 'ROLE_FORBIDDEN',
  });
});

it('shows visitors what is published, and nothing else', async () => {
  await using room = await classroom();
  const instructor = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(instructor);
  const draft = await room.db.a.course({ status: 'draft' }).taughtBy(instructor);
  const { catalog } = await room.as(null);

  const { items } = await catalog.list.query({});
  expect(items).toMatchObject([{ id: course.id, isEnrolled: false }]);
  const shown = await catalog.course.query({ courseId: course.id });
  expect(courseOutput.safeParse(shown).error).toBeUndefined();
  expect(shown).toMatchObject(items[0]!);
  expect(await refusal(catalog.course.query({ courseId: draft.id }))).toMatchObject({
    httpStatus: 404,
  });
  const staff = await room.as(instructor);
  expect(await staff.catalog.course.query({ courseId: draft.id })).toMatchObject({ id: draft.id });
  for (const call of [
    () => catalog.teaching.query({}),
    () => catalog.content.query({ courseId: course.id }),
    () => catalog.lesson.query({ lessonId: course.id }),
  ]) {
    expect(await refusal(call()), call.toString()).toMatchObject({ httpStatus: 401 });
  }
});
