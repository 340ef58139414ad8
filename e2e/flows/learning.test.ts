import { readyToFinish } from '../fixtures/demo-school.ts';
import { expect, test } from '../fixtures/homeroom.ts';
import { signIn } from '../fixtures/steps.ts';

test('the last lesson on one device shows on all others at once', async ({
  school,
  browserFor,
}) => {
  const { email, slug, lessonId, name } = await readyToFinish(school);
  const phone = await browserFor({ phone: true });
  const laptop = await browserFor();
  const instructor = await browserFor();
  await signIn(phone.page, school.urls.student, email);
  await signIn(laptop.page, school.urls.student, email);
  await signIn(instructor.page, school.urls.instructor, 'instructor@homeroom.test');
  await laptop.page.goto(`${school.urls.student}/courses/${slug}`);
  await instructor.page.goto(`${school.urls.instructor}/courses/${slug}`);
  await expect(laptop.page.getByRole('main').locator('[data-live=live]')).toBeVisible();
  await expect(instructor.page.getByRole('main').locator('[data-live=live]')).toBeVisible();

  await phone.page.goto(`${school.urls.student}/courses/${slug}/${lessonId}`);
  await phone.page.getByRole('button', { name: /^Complete/ }).click();

  await expect(laptop.page.getByText('You have completed this course')).toBeVisible();
  await expect(
    instructor.page
      .getByRole('row', { name: new RegExp(name) })
      .getByRole('progressbar', { name: `Progress of ${name}` }),
  ).toHaveAttribute('aria-valuenow', '100');

  await test.step('the certificate holds, for anybody who asks', async () => {
    await laptop.page.getByRole('link', { name: 'See the certificate' }).click();
    await expect(laptop.page.getByRole('article').getByText(name)).toBeVisible();
    const address = await laptop.page
      .getByRole('link', { name: 'Public page' })
      .getAttribute('href');
    const visitor = await browserFor();
    await visitor.page.goto(address ?? '');
    await expect(visitor.page.getByRole('heading', { name: 'Yes' })).toBeVisible();
  });
});
