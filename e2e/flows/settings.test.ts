import { expect, test } from '../fixtures/homeroom.ts';
import { signIn, signUp } from '../fixtures/steps.ts';

test('a name is changed, and stays', async ({ school, browserFor }) => {
  const { page } = await browserFor();
  await signUp(page, school, 'Ida');
  await page.goto(`${school.urls.student}/settings`);
  await page.getByLabel('First name').fill('Idun');
  await page.getByLabel('Time zone').selectOption('Pacific/Auckland');
  await page.getByRole('button', { name: 'Save the profile' }).click();
  await expect(page.getByText('Your profile is saved.')).toBeVisible();
  await page.reload();
  await expect(page.getByLabel('First name')).toHaveValue('Idun');
  await expect(page.getByLabel('Time zone')).toHaveValue('Pacific/Auckland');
});

test('what is switched off doesn’t ring', async ({ school, browserFor }) => {
  const { page } = await browserFor({ phone: true });
  await signUp(page, school, 'Runa');
  await page.goto(`${school.urls.student}/settings`);
  await page.getByRole('switch', { name: 'Announcement' }).uncheck();
  await expect(page.getByText('Your choice is saved.')).toBeVisible();
  const told = (type: string) => school.sql`
    select public.create_notification(id, ${type}, ${`Said as ${type}`}, 'To Runa')
    from public.users where first_name = 'Runa'`;
  await told('announcement');
  await told('message');
  await page.goto(`${school.urls.student}/notifications`);
  const main = page.getByRole('main');
  await expect(main.getByText('Said as message')).toBeVisible();
  await expect(main.getByText('Said as announcement')).toHaveCount(0);
});

test('a password is changed only by who knows it', async ({ school, browserFor }) => {
  const { page } = await browserFor();
  await signUp(page, school, 'Sol');
  await page.goto(`${school.urls.student}/settings`);
  const change = async (current: string) => {
    await page.getByLabel('Present password').fill(current);
    await page.getByLabel('New password').fill('a better password');
    await page.getByRole('button', { name: 'Change the password' }).click();
  };
  await change('not-the-password');
  await expect(page.getByText('This is not your password.')).toBeVisible();
  await change('homeroom-demo');
  await expect(page.getByText('Your new password is set.')).toBeVisible();
});

test('the theme that is chosen is there after a reload', async ({ school, browserFor }) => {
  const { page } = await browserFor();
  await signIn(page, school.urls.instructor, 'instructor@homeroom.test');
  await page.goto(`${school.urls.instructor}/settings`);
  await page.getByRole('main').getByTitle('Dark').click();
  await page.reload();
  await expect(page.locator('html')).toHaveClass(/dark/);
});
