import { describe, expect, it } from 'vitest';
import { testDatabase, type BuiltUser, type TestDatabase } from '../testing/index.ts';

type Workbench = {
  outline: { id: string; title: string; summary: string; lessonIds: string[] }[];
  outlineVersion: number;
};
type Published = { version: number; changes: { kind: string; title?: string }[] };

async function setUp(db: TestDatabase) {
  const author = await db.a.instructor();
  const course = await db.a.course().taughtBy(author);
  const module = await db.a.module(course, 3);
  const student = await db.a.student().enrolledIn(course);
  return { author, course, module, student };
}

async function ask<Result>(
  db: TestDatabase,
  user: BuiltUser,
  call: string,
  ...parameters: (string | number | null)[]
): Promise<Result> {
  const [row] = await db.as(user, (tx) =>
    tx.unsafe<{ result: Result }[]>(`select public.${call} as result`, parameters),
  );
  return row?.result as Result;
}

const complete = (db: TestDatabase, student: BuiltUser, lesson: string | undefined) =>
  ask(db, student, 'complete_lesson($1)', lesson ?? '');
const publish = (db: TestDatabase, author: BuiltUser, course: { id: string }) =>
  ask<Published>(db, author, `publish_course($1, 'A note')`, course.id);
const workbench = (db: TestDatabase, author: BuiltUser, course: { id: string }) =>
  ask<Workbench>(db, author, 'course_workbench($1)', course.id);
const kinds = ({ changes }: Published) => changes.map(({ kind }) => kind);

/** Saves what changes in a lesson, from the version that is there. */
async function edit(
  db: TestDatabase,
  author: BuiltUser,
  lesson: string | undefined,
  with_: object,
) {
  const { version } = await ask<{ version: number }>(
    db,
    author,
    'lesson_workbench($1)',
    lesson ?? '',
  );
  await ask(
    db,
    author,
    'save_lesson_draft($1, $2, $3::text::jsonb)',
    lesson ?? '',
    version,
    JSON.stringify(with_),
  );
}

async function arrange(
  db: TestDatabase,
  author: BuiltUser,
  course: { id: string },
  change: (outline: Workbench['outline']) => Workbench['outline'],
) {
  const { outline, outlineVersion } = await workbench(db, author, course);
  return ask<number>(
    db,
    author,
    'save_outline($1, $2, $3::text::jsonb)',
    course.id,
    outlineVersion,
    JSON.stringify(change(outline)),
  );
}

async function stateOf(db: TestDatabase, student: BuiltUser) {
  const [row] = await db.sql<{ status: string; progress: number; version: number | null }[]>`
    select status, progress, course_version as version from public.enrollments
    where user_id = ${student.id}`;
  return row;
}

const eventsOn = (db: TestDatabase, topic: string, name: string) =>
  db.sql<{ payload: Record<string, unknown> }[]>`
    select payload from private.live_events where topic = ${topic} and event = ${name} order by seq`;

describe('drafts', () => {
  it('are seen by nobody but the staff until they are published', async () => {
    await using db = await testDatabase();
    const { author, course, module, student } = await setUp(db);
    const [first] = module.lessonIds;
    await edit(db, author, first, { title: 'Another title', content: 'Another text' });
    const page = () =>
      ask<{ title: string; content: string; revision: number }>(
        db,
        student,
        'lesson_page($1)',
        first ?? '',
      );
    expect(await page()).toMatchObject({ content: 'What there is to learn.', revision: 1 });

    expect(await publish(db, author, course)).toMatchObject({ version: 1 });
    expect(await page()).toMatchObject({
      title: 'Another title',
      content: 'Another text',
      revision: 2,
    });
    const [event] = await eventsOn(db, `course:${course.id}`, 'content.published');
    expect(event?.payload).toMatchObject({
      version: 1,
      note: 'A note',
      changes: [{ kind: 'lesson_edited', lessonId: first, title: 'Another title' }],
      modules: null,
      lessons: [{ id: first, title: 'Another title', revision: 2 }],
    });
    expect(await publish(db, author, course)).toEqual({ version: 1, changes: [] });
  });

  it('of two authors: the second to save learns of the first', async () => {
    await using db = await testDatabase();
    const { author, course, module } = await setUp(db);
    const save = (version: number, title: string) =>
      ask<number>(
        db,
        author,
        'save_lesson_draft($1, $2, $3::text::jsonb)',
        module.lessonIds[0] ?? '',
        version,
        JSON.stringify({ title }),
      );
    expect(await save(0, 'The first')).toBe(1);
    await expect(save(0, 'The second')).rejects.toThrow('DRAFT_CONFLICT');
    const saved = await Promise.allSettled(['a', 'b', 'c'].map((title) => save(1, title)));
    expect(saved.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const outline = JSON.stringify((await workbench(db, author, course)).outline);
    const arranging = (version: number) =>
      ask(db, author, 'save_outline($1, $2, $3::text::jsonb)', course.id, version, outline);
    await arranging(0);
    await expect(arranging(0)).rejects.toThrow('DRAFT_CONFLICT');
  });

  it('are not for other instructors, nor for students', async () => {
    await using db = await testDatabase();
    const { course, module, student, author } = await setUp(db);
    const other = await db.a.instructor();
    const [lesson = ''] = module.lessonIds;
    for (const intruder of [other, student]) {
      await expect(publish(db, intruder, course)).rejects.toThrow('COURSE_NOT_FOUND');
      await expect(workbench(db, intruder, course)).rejects.toThrow('COURSE_NOT_FOUND');
      await expect(edit(db, intruder, lesson, {})).rejects.toThrow('LESSON_NOT_FOUND');
      await expect(
        ask(db, intruder, `create_lesson($1, 'Mine', 'text')`, module.id),
      ).rejects.toThrow('COURSE_NOT_FOUND');
      const straight = db.as(
        intruder,
        (tx) => tx`update public.lessons set title = 'Mine' where id = ${lesson}`,
      );
      await expect(straight).rejects.toThrow('permission denied');
    }
    await expect(ask(db, student, `create_course('A course', 'a-course')`)).rejects.toThrow(
      'ROLE_FORBIDDEN',
    );
    await edit(db, author, lesson, { title: 'Secret' });
    const drafts = await db.as(other, (tx) => tx`select * from public.lesson_drafts`);
    expect([...drafts]).toEqual([]);
  });

  it('take no lesson of another course, and none twice', async () => {
    await using db = await testDatabase();
    const { author, course, module } = await setUp(db);
    const foreign = await db.a.module(await db.a.course(), 1);
    const with_ = (lessonIds: string[]) =>
      arrange(db, author, course, ([first]) => (first ? [{ ...first, lessonIds }] : []));
    await expect(with_(foreign.lessonIds)).rejects.toThrow('OUTLINE_INVALID');
    const [lesson = ''] = module.lessonIds;
    await expect(with_([lesson, lesson])).rejects.toThrow('OUTLINE_INVALID');
    await expect(
      arrange(db, author, course, () => [
        { id: foreign.id, title: 'Mine now', summary: '', lessonIds: [] },
      ]),
    ).rejects.toThrow('OUTLINE_INVALID');
  });

  it('leave nothing when a part of them can’t be published', async () => {
    await using db = await testDatabase();
    const { author, course, module } = await setUp(db);
    await edit(db, author, module.lessonIds[0], { title: 'Fine' });
    await edit(db, author, module.lessonIds[1], { durationMinutes: -1 });
    await expect(publish(db, author, course)).rejects.toThrow('lessons_take_a_day_at_most');
    const titles = await db.sql`select title from public.lessons where title = 'Fine'`;
    expect([...titles]).toEqual([]);
    const broken = edit(db, author, module.lessonIds[0], { quiz: { questions: [] } });
    await expect(broken).rejects.toThrow('QUIZ_INVALID');
  });
});

describe('an arrangement', () => {
  it('moves, adds and takes out, in one version', async () => {
    await using db = await testDatabase();
    const { author, course, module } = await setUp(db);
    const [first = '', second = '', third = ''] = module.lessonIds;
    const newModule = '11111111-1111-4111-8111-111111111111';
    await arrange(db, author, course, ([old]) => [
      { id: newModule, title: 'Before all', summary: '', lessonIds: [third] },
      { ...(old as Workbench['outline'][0]), title: 'Renamed', lessonIds: [second] },
    ]);
    const { lessonId } = await ask<{ lessonId: string }>(
      db,
      author,
      `create_lesson($1, 'New', 'text')`,
      newModule,
    );
    await edit(db, author, lessonId, { isPublished: true });
    const published = await publish(db, author, course);
    expect(kinds(published).toSorted()).toEqual([
      'lesson_added',
      'lesson_moved',
      'lesson_removed',
      'module_added',
      'module_edited',
    ]);
    const [event] = await eventsOn(db, `course:${course.id}`, 'content.published');
    expect(event?.payload['modules']).toEqual([
      { id: newModule, title: 'Before all', summary: '', lessonIds: [third, lessonId] },
      { id: module.id, title: 'Renamed', summary: '', lessonIds: [second] },
    ]);
    const [removed] = await db.sql`
      select is_published, removed_at is not null as gone from public.lessons where id = ${first}`;
    expect(removed).toEqual({ is_published: false, gone: true });

    await arrange(db, author, course, (outline) => outline.toReversed());
    expect(kinds(await publish(db, author, course))).toEqual(['reordered']);
  });
});

describe('what a lesson taught', () => {
  it('is kept by version: what was there before the first, changes past a publication, lessons taken out', async () => {
    await using db = await testDatabase();
    const { author, course, module } = await setUp(db);
    const [lesson = '', other = ''] = module.lessonIds;
    const kept = (id: string) => db.sql<{ version: number; content: string }[]>`
      select version, fields ->> 'content' as content from public.lesson_versions
      where lesson_id = ${id} order by version`;
    await db.sql`update lessons set content = 'As imported' where id = ${lesson}`;
    await edit(db, author, lesson, { content: 'First' });
    await publish(db, author, course);
    await edit(db, author, other, { content: 'Of another lesson' });
    await publish(db, author, course);
    await db.sql`update lessons set content = 'By psql' where id = ${lesson}`;
    await edit(db, author, lesson, { content: 'Third' });
    await publish(db, author, course);
    await arrange(db, author, course, (outline) =>
      outline.map((one) => ({ ...one, lessonIds: one.lessonIds.filter((id) => id !== lesson) })),
    );
    expect(kinds(await publish(db, author, course))).toEqual(['lesson_removed']);
    expect([...(await kept(lesson))]).toEqual([
      { version: 0, content: 'As imported' },
      { version: 1, content: 'First' },
      { version: 2, content: 'By psql' },
      { version: 3, content: 'Third' },
    ]);
    expect(await kept(other)).toHaveLength(2);
  });
});

describe('who has not finished', () => {
  it('is counted against the new version: a lesson more, and the share goes down', async () => {
    await using db = await testDatabase();
    const { author, course, module, student } = await setUp(db);
    await complete(db, student, module.lessonIds[0]);
    expect(await stateOf(db, student)).toMatchObject({ progress: 33 });
    const { lessonId } = await ask<{ lessonId: string }>(
      db,
      author,
      `create_lesson($1, 'One more', 'text')`,
      module.id,
    );
    expect(await stateOf(db, student)).toMatchObject({ progress: 33 });
    await edit(db, author, lessonId, { isPublished: true });
    await publish(db, author, course);
    expect(await stateOf(db, student)).toMatchObject({ progress: 25, status: 'active' });
    const [event] = await eventsOn(db, `user:${student.id}`, 'progress.reevaluated');
    expect(event?.payload).toMatchObject({
      courseVersion: 1,
      doneCount: 1,
      requiredCount: 4,
      progressPercent: 25,
      status: 'active',
      completedModuleIds: [],
    });
  });

  it.each([
    ['is taken out', 'remove'],
    ['becomes optional', { isRequired: false }],
    ['is unpublished', { isPublished: false }],
  ] as const)('finishes when the last lesson %s', async (_, change) => {
    await using db = await testDatabase();
    const { author, course, module, student } = await setUp(db);
    const [first, second, last] = module.lessonIds;
    await complete(db, student, first);
    await complete(db, student, second);
    if (change === 'remove') {
      await arrange(db, author, course, (outline) =>
        outline.map((one) => ({
          ...one,
          lessonIds: one.lessonIds.filter((id) => id !== last),
        })),
      );
    } else await edit(db, author, last, change);
    expect(await stateOf(db, student)).toMatchObject({ status: 'active' });
    await publish(db, author, course);
    expect(await stateOf(db, student)).toEqual({ status: 'completed', progress: 100, version: 1 });
    const [counts] = await db.sql`
      select
        (select count(*)::int from certificates) as certificates,
        (select count(*)::int from notifications where type = 'certificate') as notifications,
        (select courses_completed from learning_stats) as courses`;
    expect(counts).toEqual({ certificates: 1, notifications: 1, courses: 1 });
    const events = await eventsOn(db, `user:${student.id}`, 'certificate.issued');
    expect(events).toHaveLength(1);
  });

  it('keeps the completion of a lesson that moves to another module', async () => {
    await using db = await testDatabase();
    const { author, course, module, student } = await setUp(db);
    const other = await db.a.module(course, 1);
    const [first = ''] = module.lessonIds;
    await complete(db, student, first);
    await complete(db, student, other.lessonIds[0]);
    await arrange(db, author, course, ([from, to]) => [
      { ...(from as Workbench['outline'][0]), lessonIds: module.lessonIds.slice(1) },
      { ...(to as Workbench['outline'][0]), lessonIds: [...other.lessonIds, first] },
    ]);
    expect(kinds(await publish(db, author, course))).toEqual(['lesson_moved']);
    expect(await stateOf(db, student)).toMatchObject({ progress: 50, status: 'active' });
  });

  it('is counted anew also when somebody changes the rows themselves', async () => {
    await using db = await testDatabase();
    const { module, student } = await setUp(db);
    await complete(db, student, module.lessonIds[0]);
    await db.sql`update lessons set is_required = false where id = ${module.lessonIds[1] ?? ''}`;
    expect(await stateOf(db, student)).toMatchObject({ progress: 50 });
    await db.sql`delete from lessons where id = ${module.lessonIds[2] ?? ''}`;
    expect(await stateOf(db, student)).toMatchObject({ progress: 100, status: 'completed' });
  });
});

describe('who has finished', () => {
  it('has finished, whatever is published afterwards', async () => {
    await using db = await testDatabase();
    const { author, course, module, student } = await setUp(db);
    for (const lesson of module.lessonIds) await complete(db, student, lesson);
    const before = await db.sql`select * from enrollments`;
    await db.a.module(course, 2);
    const { lessonId } = await ask<{ lessonId: string }>(
      db,
      author,
      `create_lesson($1, 'One more', 'text')`,
      module.id,
    );
    await edit(db, author, lessonId, { isPublished: true });
    await publish(db, author, course);
    expect(await db.sql`select * from enrollments`).toEqual(before);
    expect(await ask(db, student, 'course_progress($1)', course.id)).toMatchObject({
      status: 'completed',
      doneCount: 3,
      requiredCount: 3,
      progressPercent: 100,
    });
    await complete(db, student, lessonId);
    const certificates = await db.sql`select * from certificates`;
    expect(certificates).toHaveLength(1);
  });
});

it('publishes and completes at the same time without losing either', async () => {
  await using db = await testDatabase();
  const { author, course, module } = await setUp(db);
  const students = await Promise.all(
    Array.from({ length: 12 }, () => db.a.student().enrolledIn(course)),
  );
  const [first, second, last] = module.lessonIds;
  await edit(db, author, last, { isRequired: false });
  await Promise.all([
    ...students.map(async (student) => {
      await complete(db, student, first);
      await complete(db, student, second);
    }),
    publish(db, author, course),
  ]);
  const states = await db.sql<{ status: string; count: number }[]>`
    select status, count(*)::int from enrollments group by status order by status`;
  expect([...states]).toEqual([
    { status: 'active', count: 1 },
    { status: 'completed', count: 12 },
  ]);
  const [counts] = await db.sql`
    select
      (select count(*)::int from certificates) as certificates,
      (select count(*)::int from learning_stats where courses_completed = 1) as courses`;
  expect(counts).toEqual({ certificates: 12, courses: 12 });
}, 30_000);
