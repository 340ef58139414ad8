import { expect, test } from '../fixtures/homeroom.ts';
import { enroll, signIn, signUp } from '../fixtures/steps.ts';

/** Free, taught by instructor@homeroom.test, and none of the demo students is enrolled in it. */
const COURSE = { slug: 'probability-without-tears', title: 'Probability without tears' };

test('the dashboard moves while students act, and what is announced reaches them', async ({
  school,
  browserFor,
}) => {
  const { page } = await browserFor();
  const main = page.getByRole('main');
  await signIn(page, school.urls.instructor, 'instructor@homeroom.test');
  await page.goto(school.urls.instructor);
  await expect(main.locator('[data-live=live]')).toBeVisible();
  const figure = async (label: string) => {
    const text = await main.locator(`[data-figure=${label}] .sr-only`).textContent();
    return Number.parseFloat((text ?? '').replaceAll(/[^\d.]/g, ''));
  };
  const students = await figure('students');

  const student = await browserFor({ phone: true });
  await signUp(student.page, school, 'Liv');
  await enroll(student.page, school.urls.student, COURSE.slug);
  await expect.poll(() => figure('students')).toBe(students + 1);
  const feed = main.getByRole('region', { name: 'Activity' });
  await expect(feed.getByText(/Liv Quist.* enrolled in/)).toBeVisible();

  await test.step('of one course, each happening moves it at once', async () => {
    await page.getByLabel('Course', { exact: true }).selectOption({ label: COURSE.title });
    await expect(page).toHaveURL(/course=probability/);
    await expect(main.locator('[data-live=live]')).toBeVisible();
    const form = student.page.getByRole('main');
    await form.getByText('Review this course').click();
    await form.getByRole('radio', { name: '4 stars' }).press('Space');
    await form.getByLabel('What others should know').fill('Calm and clear.');
    await form.getByRole('button', { name: 'Publish the review' }).click();
    await expect(form.getByText('Calm and clear.').last()).toBeVisible();
    await expect(feed.getByText(/Liv Quist gave 4 of 5 to/)).toBeVisible();
  });

  await test.step('the staff answers the review', async () => {
    await page.goto(`${school.urls.instructor}/courses/${COURSE.slug}/reviews`);
    await main.getByRole('button', { name: 'Answer the review of Liv Quist' }).click();
    await main.getByLabel('Answer to Liv Quist').fill('Thank you, Liv.');
    await main.getByRole('button', { name: 'Send the answer' }).click();
    await expect(main.getByText('Thank you, Liv.')).toBeVisible();
    await expect(student.page.getByText('Thank you, Liv.')).toBeVisible();
  });

  await test.step('an announcement is looked at, sent, and read', async () => {
    await page.goto(`${school.urls.instructor}/announcements/new`);
    await main.getByLabel(COURSE.title).check();
    await main.getByLabel('Title').fill('No class on Friday');
    await main.getByLabel('Text').fill('We meet on **Monday**.');
    await main.getByRole('button', { name: 'Preview' }).click();
    await expect(main.locator('strong', { hasText: 'Monday' })).toBeVisible();
    await main.getByRole('button', { name: 'Send now' }).click();
    const sent = main.getByRole('listitem').filter({ hasText: 'No class on Friday' });
    await expect(sent.getByText(/read by 0 of \d+/)).toBeVisible();

    const centre = student.page;
    await centre.goto(`${school.urls.student}/notifications?type=announcement`);
    await centre.getByRole('button', { name: /No class on Friday/ }).click();
    await centre.getByRole('link', { name: 'Read it' }).filter({ visible: true }).click();
    await expect(centre.getByRole('main').locator('strong')).toHaveText('Monday');
    await expect
      .poll(async () => {
        await page.reload();
        return sent.getByText(/read by 1 of/).count();
      })
      .toBe(1);
  });

  await test.step('charts have their table and their file', async () => {
    await page.goto(`${school.urls.instructor}/courses/practical-sql/analytics`);
    await main.getByRole('link', { name: 'Year' }).click();
    await expect(page).toHaveURL(/from=/);
    const ratings = main.getByRole('region', { name: 'Ratings', exact: true });
    await ratings.getByText('The same as a table').click();
    await expect(ratings.getByRole('rowheader', { name: '5 of 5' })).toBeVisible();
    const download = page.waitForEvent('download');
    await main.getByRole('link', { name: 'Where students stop as CSV' }).click();
    expect((await download).suggestedFilename()).toMatch(/^funnel-.*\.csv$/);
  });
});
