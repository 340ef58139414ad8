import { expect, test } from '../fixtures/homeroom.ts';
import { signIn } from '../fixtures/steps.ts';

test('the notification centre is worked by keys alone', async ({ school, browserFor }) => {
  const { page } = await browserFor();
  await school.sql`
    select public.create_notification(id, 'system', 'For the keys', 'Open me with Enter')
    from public.users where email = 'admin@homeroom.test'`;
  await signIn(page, school.urls.instructor, 'admin@homeroom.test');
  await page.goto(`${school.urls.instructor}/notifications?type=system`);
  const row = page.getByRole('main').getByRole('button', { name: /For the keys/ });
  await expect(page.getByRole('main').locator('[data-live=live]')).toBeVisible();

  await page.keyboard.press('j');
  await expect(row).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('complementary').getByText('Open me with Enter')).toBeVisible();
  await expect(row).not.toHaveAccessibleName(/Unread/);
  await page.keyboard.press('u');
  await expect(row).toHaveAccessibleName(/Unread/);
  await page.keyboard.press('Delete');
  await expect(row).toHaveCount(0);

  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeHidden();
});
