import { axeViolations } from '../fixtures/axe.ts';
import { expect, test, type School } from '../fixtures/homeroom.ts';
import { signIn, unreadCount } from '../fixtures/steps.ts';

/** What is snoozed for an hour is due, and the job of the minute runs. */
async function anHourPasses({ sql }: School): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select set_config('homeroom.quiet', 'on', true)`;
    await tx`
      update public.notifications set snoozed_until = snoozed_until - interval '1 hour'
      where snoozed_until is not null`;
  });
  await sql`select private.wake_notifications()`;
}

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

  await test.step('put away, taken back, and put off until it comes back by itself', async () => {
    await page.keyboard.press('e');
    await expect(row).toHaveCount(0);
    await expect(page.getByRole('status').getByText('Archived.')).toBeVisible();
    await page.keyboard.press('z');
    await expect(row).toHaveAccessibleName(/Unread/);

    const before = await unreadCount(page);
    await row.focus();
    await page.keyboard.press('s');
    const dialog = page.getByRole('dialog', { name: 'Snooze until' });
    await expect(dialog).toBeVisible();
    expect(await axeViolations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(row).toBeFocused();
    await page.keyboard.press('s');
    await expect(dialog.getByRole('button', { name: /In an hour/ })).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(row).toHaveCount(0);
    await expect.poll(() => unreadCount(page)).toBe(before - 1);

    await anHourPasses(school);
    await expect(row).toHaveAccessibleName(/Unread.*Back from being snoozed/);
    await expect.poll(() => unreadCount(page)).toBe(before);
  });

  await row.focus();
  await page.keyboard.press('Delete');
  await expect(row).toHaveCount(0);

  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Keys' })).toBeHidden();
});
