import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { contentEventSchemas, contentOutput, lessonOutput } from '../catalog/contract.ts';
import { classroom, refusal } from '../testing/classroom.ts';
import {
  lessonVersionsOutput,
  lessonWorkbenchOutput,
  versionsOutput,
  workbenchOutput,
  type LessonFields,
} from './contract.ts';

const FIELDS: LessonFields = {
  title: 'A lesson',
  kind: 'text',
  content: '# Hello',
  videoUrl: null,
  captionsUrl: null,
  attachments: [],
  quiz: null,
  durationMinutes: 5,
  isPublished: true,
  isRequired: true,
};

it('makes a course from nothing, and shows it to students when it is published', async () => {
  await using room = await classroom();
  const { authoring, catalog } = await room.as(await room.db.a.instructor());
  const { courseId } = await authoring.createCourse.mutate({ title: 'New', slug: 'new' });
  const moduleId = randomUUID();
  const outline = [{ id: moduleId, title: 'First', summary: '', lessonIds: [] }];
  await authoring.saveOutline.mutate({ courseId, version: 0, outline });
  const { lessonId } = await authoring.createLesson.mutate({ moduleId, title: 'A lesson' });
  const { version } = await authoring.saveLesson.mutate({ lessonId, version: 0, fields: FIELDS });
  const bench = await authoring.course.query({ courseId });
  expect(workbenchOutput.safeParse(bench).error).toBeUndefined();
  expect(bench).toMatchObject({
    status: 'draft',
    hasDraft: true,
    outline: [{ id: moduleId, lessonIds: [lessonId] }],
    lessons: [{ id: lessonId, hasDraft: true, isPublished: true }],
  });

  const ann = await room.db.a.student();
  const student = await room.as(ann);
  expect(await refusal(student.catalog.course.query({ courseId }))).toMatchObject({
    appCode: 'COURSE_NOT_FOUND',
  });
  const published = await authoring.publish.mutate({ courseId, note: 'Here it is' });
  expect(published).toMatchObject({ version: 1, changes: [{ kind: 'course_published' }, {}, {}] });
  await student.enrollment.enroll.mutate({ courseId });
  expect(await student.catalog.course.query({ courseId })).toMatchObject({
    version: 1,
    modules: [{ lessons: [{ id: lessonId, kind: 'text', isRequired: true }] }],
  });
  const content = await student.catalog.content.query({ courseId });
  expect(contentOutput.safeParse(content).error).toBeUndefined();
  const page = await student.catalog.lesson.query({ lessonId });
  expect(lessonOutput.safeParse(page).error).toBeUndefined();
  expect(page.data).toMatchObject({ content: '# Hello', completedAt: null });
  expect(page.cursor).toEqual(content.cursor);

  const changed = { ...FIELDS, content: '# Hello again' };
  await authoring.saveLesson.mutate({ lessonId, version, fields: changed });
  const lesson = await authoring.lesson.query({ lessonId });
  expect(lessonWorkbenchOutput.safeParse(lesson).error).toBeUndefined();
  expect(lesson).toMatchObject({ fields: changed, published: FIELDS, hasDraft: true });
  await authoring.publish.mutate({ courseId });
  const since = await student.live.since.query(content.cursor);
  if (since.status !== 'events') throw new Error(since.status);
  expect(contentEventSchemas['content.published'].parse(since.events[0]?.data)).toMatchObject({
    version: 2,
    modules: null,
    lessons: [{ id: lessonId, revision: 3 }],
  });
  const versions = await student.authoring.versions.query({ courseId, limit: 1 });
  expect(versionsOutput.safeParse(versions).error).toBeUndefined();
  expect(versions).toMatchObject({ items: [{ version: 2 }], nextCursor: 2 });

  const history = await authoring.lessonVersions.query({ lessonId });
  expect(lessonVersionsOutput.safeParse(history).error).toBeUndefined();
  expect(history).toMatchObject({ items: [{ version: 2 }, { version: 1 }], nextCursor: null });
  const earlier = (number: number) => ({ lessonId, version: number });
  expect(await authoring.lessonVersion.query(earlier(7))).toEqual({
    version: 2,
    fields: changed,
    before: FIELDS,
  });
  expect(await authoring.lessonVersion.query(earlier(1))).toMatchObject({ before: null });
  const colleague = await room.as(await room.db.a.instructor());
  expect(await refusal(colleague.authoring.lessonVersion.query(earlier(1)))).toMatchObject({
    appCode: 'VERSION_NOT_FOUND',
  });
  expect(await refusal(student.authoring.lessonVersion.query(earlier(1)))).toMatchObject({
    appCode: 'ROLE_FORBIDDEN',
  });

  expect(await authoring.setArchived.mutate({ courseId, isArchived: true })).toEqual({
    status: 'archived',
  });
  expect((await catalog.list.query({})).items).toEqual([]);
  expect((await student.catalog.lesson.query({ lessonId })).data.content).toBe('# Hello again');
});

it('says what is wrong with what an author sends, and keeps nothing of it', async () => {
  await using room = await classroom();
  const author = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(author);
  const { lessonIds } = await room.db.a.module(course, 1);
  const lessonId = lessonIds[0] ?? '';
  const { authoring } = await room.as(author);
  const choices = [
    { id: 'a', text: 'A' },
    { id: 'b', text: 'B' },
  ];
  const single = { id: 'q', kind: 'single', prompt: '?', points: 1, choices, correct: ['a'] };
  const quizOf = (questions: unknown[]) => ({
    kind: 'quiz',
    quiz: { passPercent: 50, attemptsMax: null, questions },
  });
  const file = { title: 'X', url: 'https://a.test/x', mediaType: 'text/csv', sizeBytes: 1 };
  const bad: [Record<string, unknown>, string][] = [
    [{ content: 'x'.repeat(262_145) }, 'fields.content'],
    [{ content: 'ü'.repeat(140_000) }, 'fields.content'],
    [{ title: '  ' }, 'fields.title'],
    [{ durationMinutes: -1 }, 'fields.durationMinutes'],
    [{ durationMinutes: 1e9 }, 'fields.durationMinutes'],
    [{ videoUrl: 'javascript:alert(1)' }, 'fields.videoUrl'],
    [{ kind: 'video' }, 'fields.videoUrl'],
    [{ kind: 'quiz' }, 'fields.quiz'],
    [quizOf([]), 'fields.quiz.questions'],
    [quizOf([single, single]), 'fields.quiz.questions'],
    [quizOf([{ ...single, correct: ['z'] }]), 'fields.quiz.questions.0.correct'],
    [quizOf([{ ...single, kind: 'essay' }]), 'fields.quiz.questions.0.kind'],
    [
      { attachments: [{ ...file, mediaType: 'application/x-msdownload' }] },
      'fields.attachments.0.mediaType',
    ],
    [{ attachments: [{ ...file, url: 'http://a.test/x' }] }, 'fields.attachments.0.url'],
  ];
  for (const [change, field] of bad) {
    const fields = { ...FIELDS, ...change };
    const refused = await refusal(authoring.saveLesson.mutate({ lessonId, version: 0, fields }));
    expect(refused).toMatchObject({ httpStatus: 400, appCode: 'INPUT_INVALID' });
    expect(refused.fields?.map((one) => one.field)).toContain(field);
  }
  expect(await authoring.lesson.query({ lessonId })).toMatchObject({ version: 0, hasDraft: false });
});

it('tells the second of two authors, and nobody else may save at all', async () => {
  await using room = await classroom();
  const author = await room.db.a.instructor();
  const colleague = await room.db.a.instructor();
  const course = await room.db.a.course().taughtBy(author, colleague);
  const { lessonIds } = await room.db.a.module(course, 1);
  const lessonId = lessonIds[0] ?? '';
  const save = async (person: typeof author, version: number) =>
    (await room.as(person)).authoring.saveLesson.mutate({ lessonId, version, fields: FIELDS });
  expect(await save(author, 0)).toEqual({ version: 1 });
  expect(await refusal(save(colleague, 0))).toMatchObject({
    httpStatus: 409,
    appCode: 'DRAFT_CONFLICT',
  });
  expect(await save(colleague, 1)).toEqual({ version: 2 });
  expect(await refusal(save(await room.db.a.instructor(), 2))).toMatchObject({
    appCode: 'LESSON_NOT_FOUND',
  });
  expect(await refusal(save(await room.db.a.student(), 2))).toMatchObject({
    appCode: 'ROLE_FORBIDDEN',
  });
  const bench = (await room.as(author)).authoring;
  expect(await bench.discardLesson.mutate({ lessonId, version: 2 })).toEqual({ version: 3 });
  expect(await bench.lesson.query({ lessonId })).toMatchObject({ hasDraft: false });
});
