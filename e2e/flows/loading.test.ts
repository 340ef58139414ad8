import { expect, test } from '../fixtures/homeroom.ts';
import { signIn } from '../fixtures/steps.ts';

test('a page cut off while its scripts load keeps what is typed, and comes alive later', async ({
  school,
  browserFor,
}) => {
  const { context, page } = await browserFor();
  await signIn(page, school.urls.instructor, 'instructor@homeroom.test');
  let isCut = true;
  await context.route('**/_app/immutable/**/*.js', (route) =>
    isCut ? route.abort('internetdisconnected') : route.continue(),
  );
  const refused = page.waitForEvent('requestfailed');
  await page.goto(`${school.urls.instructor}/announcements/new`);
  await page.getByLabel('Title').fill('Typed early');
  await refused;
  await expect(page.getByLabel('Title')).toHaveValue('Typed early');

  isCut = false;
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await page.locator('[data-live=live]').first().waitFor({ state: 'attached' });
  await expect(page.getByLabel('Title')).toHaveValue('Typed early');
  await page.getByLabel('Text').fill('And **read**');
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page.getByRole('strong').filter({ hasText: 'read' })).toBeVisible();
});
