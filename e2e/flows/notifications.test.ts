import { expect, test } from '../fixtures/homeroom.ts';
import { newCourses, studentAccounts } from '../fixtures/demo-school.ts';
import { enroll, enrollByForm, indicator, signIn, signUp, unreadCount } from '../fixtures/steps.ts';

test('a student enrolls, and the instructor’s bell and centre show it without a reload', async ({
  school,
  browserFor,
}) => {
  const instructor = await browserFor();
  await signIn(instructor.page, school.urls.instructor, 'instructor@homeroom.test');
  const secondTab = await instructor.context.newPage();
  await secondTab.goto(`${school.urls.instructor}/notifications?type=enrollment`);
  await expect(secondTab.locator('main [data-live=live]')).toBeVisible();
  await expect(indicator(instructor.page, 'live')).toBeVisible();
  const before = await unreadCount(instructor.page);

  const [course] = await newCourses(school, 'Morning class', 1);
  const student = await browserFor({ phone: true });
  await signUp(student.page, school, 'Nora');
  await enroll(student.page, school.urls.student, course?.slug ?? '');

  await expect.poll(() => unreadCount(instructor.page)).toBe(before + 1);
  await expect(
    secondTab
      .getByRole('main')
      .getByText(/Nora.*enrolled/)
      .first(),
  ).toBeVisible();

  await test.step('read in one tab is read in the other', async () => {
    await secondTab
      .getByRole('main')
      .getByRole('button', { name: /Nora.*enrolled/ })
      .first()
      .click();
    await expect.poll(() => unreadCount(instructor.page)).toBe(before);
  });
});

test('nothing is lost or doubled while the instructor’s network is cut', async ({
  school,
  browserFor,
}) => {
  const instructor = await browserFor();
  await signIn(instructor.page, school.urls.instructor, 'instructor@homeroom.test');
  const centre = instructor.page;
  await centre.goto(`${school.urls.instructor}/notifications?type=enrollment`);
  const main = centre.getByRole('main');
  await expect(main.locator('[data-live=live]')).toBeVisible();
  const before = await unreadCount(centre);

  const courses = await newCourses(school, 'Evening class', 10);
  const students = await studentAccounts(school, 10);
  await instructor.context.setOffline(true);
  await expect(indicator(centre, 'offline')).toBeVisible();
  await expect(centre.getByText('You are offline.')).toBeVisible();
  for (const [index, { slug }] of courses.entries()) {
    await enrollByForm(school, students[index] ?? '', slug);
  }
  await instructor.context.setOffline(false);

  await expect(main.locator('[data-live=live]')).toBeVisible();
  await expect(main.getByRole('listitem').filter({ hasText: 'Evening class' })).toContainText(
    courses.map(({ title }) => title).reverse(),
  );
  expect(await unreadCount(centre)).toBe(before + 10);

  await test.step('a page that is asked for without a network opens when it is back', async () => {
    await instructor.context.setOffline(true);
    await centre.getByRole('link', { name: 'Workshops' }).first().click();
    await expect(centre.getByText('That page opens as soon as you are back online.')).toBeVisible();
    await instructor.context.setOffline(false);
    await expect(centre.getByRole('heading', { name: 'Workshops', level: 1 })).toBeVisible();
  });
});

test('without Realtime the data still comes, the dot says so, and it is live again after', async ({
  school,
  browserFor,
}) => {
  const instructor = await browserFor();
  await signIn(instructor.page, school.urls.instructor, 'instructor@homeroom.test');
  const { page } = instructor;
  await expect(indicator(page, 'live')).toBeVisible();
  const before = await unreadCount(page);

  await school.stack.stopRealtime();
  await expect(indicator(page, 'polling')).toBeVisible();
  await school.sql`
    select public.create_notification(id, 'system', 'Told by polling', 'Realtime is down')
    from public.users where email = 'instructor@homeroom.test'`;
  await expect.poll(() => unreadCount(page)).toBe(before + 1);

  await school.stack.startRealtime();
  await expect(indicator(page, 'live')).toBeVisible({ timeout: 30_000 });
});
