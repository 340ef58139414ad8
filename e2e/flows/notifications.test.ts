import { expect, test } from '../fixtures/homeroom.ts';
import { enroll, signIn, signUp, unreadCount } from '../fixtures/steps.ts';

/** Free, taught by instructor@homeroom.test, and none of the demo students is enrolled in it. */
const COURSE = { slug: 'probability-without-tears', title: 'Probability without tears' };

test('a student enrolls, and the instructor’s bell and centre show it without a reload', async ({
  school,
  browserFor,
}) => {
  const instructor = await browserFor();
  await signIn(instructor.page, school.urls.instructor, 'instructor@homeroom.test');
  const secondTab = await instructor.context.newPage();
  await secondTab.goto(`${school.urls.instructor}/notifications?type=enrollment`);
  await expect(secondTab.locator('main [data-live=live]')).toBeVisible();
  await expect(instructor.page.getByTestId('connection').locator('[data-live=live]')).toBeVisible();
  const before = await unreadCount(instructor.page);

  const student = await browserFor({ phone: true });
  await signUp(student.page, school, 'Nora');
  await enroll(student.page, school.urls.student, COURSE.slug);

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
      .getByRole('listitem')
      .filter({ hasText: /Nora.*enrolled/ })
      .first()
      .getByRole('button', { name: 'Mark as read' })
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
  await centre.goto(`${school.urls.instructor}/notifications?type=system`);
  await expect(centre.getByRole('main').locator('[data-live=live]')).toBeVisible();

  const titles = Array.from({ length: 10 }, (_, index) => `While you were away ${index + 1}`);
  await instructor.context.setOffline(true);
  await expect(centre.getByTestId('connection').locator('[data-live=offline]')).toBeVisible();
  for (const title of titles) {
    await school.sql`
      select public.create_notification(id, 'system', ${title}, 'Said while the network was cut')
      from public.users where email = 'instructor@homeroom.test'`;
  }
  await instructor.context.setOffline(false);

  await expect(centre.getByRole('main').locator('[data-live=live]')).toBeVisible();
  await expect(centre.getByRole('main').getByText('While you were away 10')).toBeVisible();
  const missed = centre
    .getByRole('main')
    .getByRole('listitem')
    .filter({ hasText: 'Said while the network was cut' });
  await expect(missed).toContainText([...titles].reverse());
});

test('without Realtime the data still comes, the dot says so, and it is live again after', async ({
  school,
  browserFor,
}) => {
  const instructor = await browserFor();
  await signIn(instructor.page, school.urls.instructor, 'instructor@homeroom.test');
  const { page } = instructor;
  const indicator = page.getByTestId('connection');
  await expect(indicator.locator('[data-live=live]')).toBeVisible();
  const before = await unreadCount(page);

  await school.stack.stopRealtime();
  await expect(indicator.locator('[data-live=polling]')).toBeVisible();
  await school.sql`
    select public.create_notification(id, 'system', 'Told by polling', 'Realtime is down')
    from public.users where email = 'instructor@homeroom.test'`;
  await expect.poll(() => unreadCount(page)).toBe(before + 1);

  await school.stack.startRealtime();
  await expect(indicator.locator('[data-live=live]')).toBeVisible({ timeout: 30_000 });
});
