import { expect, it } from 'vitest';
import { supabaseClient } from '../testing/supabase-client.ts';
import { testDatabase } from '../testing/index.ts';

const FORBIDDEN = '42501';

it('shows a visitor the window of the school, and nothing behind it', async () => {
  await using db = await testDatabase();
  const teacher = await db.a.instructor();
  const course = await db.a.course().taughtBy(teacher);
  const { lessonIds } = await db.a.module(course, [{ content: 'The secret' }]);
  const student = await db.a.student().enrolledIn(course);
  const hidden = [
    await db.a.course({ status: 'draft' }).taughtBy(teacher),
    await db.a.course({ status: 'archived' }).taughtBy(teacher),
  ];
  await using visitor = await supabaseClient(db, null);

  const list = await visitor.rpc('published_courses', { page_size: 1_000_000 });
  expect(list.data).toMatchObject([{ id: course.id, isEnrolled: false }]);
  const page = await visitor.rpc('course_page', { course_id: course.id });
  expect(page.data).toMatchObject({ modules: [{ lessons: [{ id: lessonIds[0] }] }] });
  const told = JSON.stringify([list.data, page.data]);
  for (const secret of ['The secret', teacher.email, student.id])
    expect(told).not.toContain(secret);
  for (const { id } of hidden) {
    expect((await visitor.rpc('course_page', { course_id: id })).error?.message).toContain(
      'COURSE_NOT_FOUND',
    );
  }

  const tables = ['courses', 'modules', 'lessons', 'course_instructors', 'enrollments', 'profiles'];
  for (const table of [...tables, 'users', 'course_versions', 'leaderboard']) {
    expect((await visitor.from(table).select('*')).error?.code, table).toBe(FORBIDDEN);
  }
  for (const [name, input] of [
    ['course_content', { course_id: course.id }],
    ['lesson_page', { lesson_id: lessonIds[0] }],
  ] as const) {
    expect((await visitor.rpc(name, input)).error?.code, name).toBe(FORBIDDEN);
  }
  const enrolling = await visitor
    .from('enrollments')
    .insert({ user_id: student.id, course_id: course.id });
  expect(enrolling.error?.code).toBe(FORBIDDEN);
});

it('keeps no file of a lesson whose address a browser would run', async () => {
  await using db = await testDatabase();
  const { lessonIds } = await db.a.module(await db.a.course(), [{}]);
  const attach = (file: object) => db.sql`
    update lessons set attachments = ${JSON.stringify([file])}::text::jsonb where id = ${lessonIds[0]!}`;
  const urls = ['javascript:alert(1)', ' https://a.test', '//a.test', '/\\a.test', 'data:,x', ''];
  for (const url of urls) {
    await expect(attach({ title: 'x', url }), url).rejects.toThrow('lessons_link_files_by_https');
  }
  await expect(attach({ title: 'x' })).rejects.toThrow('lessons_link_files_by_https');
  await attach({ title: 'x', url: 'https://a.test/x' });
  await attach({ title: 'x', url: '/files/x' });
});
