import { expect, it } from 'vitest';
import { achievements } from '../achievements/store.ts';
import { courseContent } from '../catalog/store.ts';
import { leaderboard } from '../leaderboard/store.ts';
import { school } from '../testing/school.ts';
import { until } from '../testing/stage.ts';
import { courseProgress } from './store.ts';

const isLive = ({ status }: { status: string }) => status === 'live';

it('shows on every device what was done on one, and on the leaderboard', async () => {
  await using here = await school();
  const course = await here.db.a.course().taughtBy(await here.db.a.instructor());
  const { lessonIds } = await here.db.a.module(course, 1);
  const ann = await here.db.a.student().enrolledIn(course);
  const bob = await here.db.a.student();
  const phone = courseProgress(here.tab(ann), course.id);
  const laptopTab = here.tab(ann);
  const laptop = courseProgress(laptopTab, course.id);
  const earned = achievements(laptopTab);
  const ranks = leaderboard(here.tab(bob), 'global');
  const own = leaderboard(laptopTab, 'global');
  await Promise.all([phone, laptop, earned, ranks, own].map((store) => until(store, isLive)));
  const stops = [phone, laptop, earned, ranks, own].map((store) =>
    store.subscribe(() => undefined),
  );

  const outcome = await phone.completeLesson(lessonIds[0] ?? '', 60);
  expect(outcome).toMatchObject({ answer: { isCourseCompleted: true } });
  const seen = await until(laptop, ({ progress }) => progress?.status === 'completed');
  expect(seen.progress).toMatchObject({
    progressPercent: 100,
    certificate: { courseId: course.id },
    lessons: [{ lessonId: lessonIds[0], completedAt: expect.any(String) as string }],
  });
  await until(earned, ({ latest }) => latest?.key === 'first_course');
  await here.db.sql`select private.tell_leaderboards()`;
  await until(ranks, ({ entries }) => entries[0]?.userId === ann.id);
  const standing = await until(own, (state) => state.standing?.rank === 1);
  expect(standing.standing?.points).toBe(180.1);
  for (const stop of stops) stop();
});

it('patches the content of a course in place when it is published', async () => {
  await using here = await school();
  const author = await here.db.a.instructor();
  const course = await here.db.a.course().taughtBy(author);
  const { lessonIds } = await here.db.a.module(course, 2);
  const [first = '', second = ''] = lessonIds;
  const ann = await here.db.a.student().enrolledIn(course);
  const content = courseContent(here.tab(ann), course.id);
  const before = await until(content, isLive);
  const stop = content.subscribe(() => undefined);
  await here.db.as(author, async (tx) => {
    const edit = '{"title": "Changed"}';
    await tx`select public.save_lesson_draft(${first}, 0, ${edit}::text::jsonb)`;
    await tx`select public.publish_course(${course.id}, 'A clearer title')`;
  });
  const after = await until(content, ({ published }) => published !== undefined);
  expect(after.published).toMatchObject({ version: 1, note: 'A clearer title' });
  const lesson = (state: typeof after, id: string) =>
    state.content?.lessons.find((one) => one.id === id);
  expect(lesson(after, first)).toMatchObject({ title: 'Changed', revision: 2 });
  expect(lesson(after, second)).toBe(lesson(before, second));
  stop();
});
