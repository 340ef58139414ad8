import { expect, test } from '../fixtures/homeroom.ts';
import { expectSignedIn, fillSignUp, linkMailedTo, signIn, signOut } from '../fixtures/steps.ts';

test('a visitor looks at a course, signs up, and is back at the course', async ({
  school,
  browserFor,
}) => {
  const { page } = await browserFor({ phone: true });
  await page.goto(school.urls.student);
  await page.getByRole('link', { name: 'See the courses' }).click();
  await page.getByRole('link', { name: 'Drawing what you see' }).click();
  await expect(page.getByRole('heading', { name: 'What is in it' })).toBeVisible();
  await page.getByRole('link', { name: /^Sign up/ }).click();
  await fillSignUp(page, school, 'Vera');
  await page.getByRole('button', { name: 'Enroll' }).click();
  await expect(page.getByRole('heading', { name: 'Your progress' })).toBeVisible();
  await signOut(page);
  await page.goto(`${school.urls.student}/courses/drawing-what-you-see`);
  await expect(page.getByRole('link', { name: /^Sign up/ })).toBeVisible();
});

test('a link by mail signs in, once', async ({ school, browserFor }) => {
  const { page } = await browserFor({ phone: true });
  const address = 'student2@homeroom.test';
  await page.goto(`${school.urls.student}/sign-in`);
  await page.getByLabel('E-mail').fill(address);
  await page.getByRole('button', { name: 'Send me a link instead' }).click();
  await expect(page.getByText('a mail with a link is on its way')).toBeVisible();
  const link = await linkMailedTo(school, address);
  await page.goto(link);
  await expectSignedIn(page);
  await signOut(page);
  await page.goto(link);
  await expect(page.getByText('This link has been used or is too old')).toBeVisible();
});

test('a wrong password is refused in words, and the address stays', async ({
  school,
  browserFor,
}) => {
  const { page } = await browserFor();
  await page.goto(`${school.urls.student}/sign-in`);
  await page.getByLabel('E-mail').fill('student@homeroom.test');
  await page.getByLabel('Password').fill('not-the-password');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByText('E-mail or password is not right.')).toBeVisible();
  await expect(page.getByLabel('E-mail')).toHaveValue('student@homeroom.test');
});

test('a forgotten password is set anew through the mail', async ({ school, browserFor }) => {
  const { page } = await browserFor();
  const [person] = await school.sql<{ email: string }[]>`
    select email from public.users
    where role = 'student' and email not in ('student@homeroom.test', 'student2@homeroom.test')
    order by email
    limit 1`;
  if (person === undefined) throw new Error('The demo school has no other students.');
  const address = person.email;
  await page.goto(`${school.urls.student}/forgot-password`);
  await page.getByLabel('E-mail').fill(address);
  await page.getByRole('button', { name: 'Send me a link' }).click();
  await expect(page.getByText('a mail with a link is on its way')).toBeVisible();
  await page.goto(await linkMailedTo(school, address));
  await page.getByLabel('Password').fill('another good password');
  await page.getByRole('button', { name: 'Set the password' }).click();
  await expectSignedIn(page);
});

test('a student does not get into the instructors’ portal', async ({ school, browserFor }) => {
  const { page } = await browserFor();
  await page.goto(`${school.urls.instructor}/sign-in`);
  await page.getByLabel('E-mail').fill('student@homeroom.test');
  await page.getByLabel('Password').fill('homeroom-demo');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(page.getByText('This is the portal for instructors.')).toBeVisible();
  await signIn(page, school.urls.student, 'student@homeroom.test');
});
