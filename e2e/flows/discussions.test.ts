import { expect, test } from '../fixtures/homeroom.ts';
import { indicator, signIn } from '../fixtures/steps.ts';

test('two people talk, one is cut off in between, and nothing is lost or doubled', async ({
  school,
  browserFor,
}) => {
  const student = await browserFor({ phone: true });
  const instructor = await browserFor();
  await signIn(student.page, school.urls.student, 'student@homeroom.test');
  await signIn(instructor.page, school.urls.instructor, 'instructor@homeroom.test');

  await student.page.goto(`${school.urls.student}/courses/practical-sql/discussions`);
  await student.page.getByText('Ask something').click();
  await student.page.getByLabel('Title').fill('Why is null not equal to null?');
  await student.page.getByLabel('Your question').fill('I expected **true**.');
  await student.page.getByRole('button', { name: 'Ask', exact: true }).click();
  await student.page.waitForURL(/discussions\/[\da-f-]+$/);

  await instructor.page.goto(`${school.urls.instructor}/courses/practical-sql/discussions`);
  await instructor.page.getByRole('link', { name: /Why is null/ }).click();
  await expect(instructor.page.getByText('I expected true.')).toBeVisible();
  await expect(instructor.page.getByRole('main').locator('[data-live=live]')).toBeVisible();

  const shown = student.page.getByRole('list', { name: 'Messages' });
  const scrollTo = (y: number) => student.page.evaluate((y) => window.scrollTo(0, y), y);
  for (const first of ['What is null?', 'And what is it not?']) {
    const lines = '\n\nThink of it for a while.'.repeat(30);
    await instructor.page.getByLabel('Write a message').fill(first + lines);
    await instructor.page.getByRole('button', { name: 'Send' }).click();
    await expect(shown.getByText(first)).toBeAttached();
    await scrollTo(0);
  }
  await expect(shown.getByText(/new since you were here/)).toHaveCount(0);

  // The end of what is unread comes into view when it can't be said that it is read.
  await student.context.setOffline(true);
  await expect(indicator(student.page, 'offline')).toBeAttached();
  await scrollTo(1_000_000);
  await student.page.getByLabel('Write a message').fill('Written while offline');
  await student.page.getByRole('button', { name: 'Send' }).click();
  await expect(student.page.getByText(/Sending…|Waiting for the network…/)).toBeVisible();
  await instructor.page.getByLabel('Write a message').fill('Because nobody knows what it is.');
  await instructor.page.getByRole('button', { name: 'Send' }).click();
  await student.context.setOffline(false);

  for (const { page } of [student, instructor]) {
    const main = page.getByRole('main');
    await expect(main.getByText('Written while offline')).toHaveCount(1);
    await expect(main.getByText('Because nobody knows what it is.')).toHaveCount(1);
  }
  await expect(student.page.getByText(/Sending…|Waiting for the network…/)).toHaveCount(0);

  await test.step('a question about a lesson is among its own', async () => {
    const reader = (await browserFor()).page;
    await signIn(reader, school.urls.student, 'student@homeroom.test');
    await reader.goto(`${school.urls.student}/courses/practical-sql`);
    await reader.getByRole('main').getByRole('link', { name: 'Go on' }).click();
    await reader.getByRole('link', { name: 'Discuss this lesson' }).click();
    const main = reader.getByRole('main');
    await expect(main.getByText('Nobody has asked yet')).toBeVisible();
    const ofLesson = reader.url();
    await main.getByText('Ask something about this lesson').click();
    await main.getByLabel('Title').fill('What is a frame?');
    await main.getByLabel('Your question').fill('The lesson names it once.');
    await main.getByRole('button', { name: 'Ask', exact: true }).click();
    await reader.waitForURL(/discussions\/[\da-f-]+$/);
    await main.getByText('on the lesson').getByRole('link').last().click();
    await expect(reader.getByRole('link', { name: 'Discuss this lesson' })).toBeVisible();
    await reader.goto(ofLesson);
    await expect(main.getByRole('listitem')).toHaveCount(1);
    await expect(main.getByRole('link', { name: /What is a frame/ })).toBeVisible();
    await main.getByRole('link', { name: 'All of the course' }).click();
    await expect(main.getByRole('link', { name: /Why is null/ })).toBeVisible();
  });

  await test.step('the instructor locks it while the student writes', async () => {
    await instructor.page.getByRole('button', { name: 'Lock' }).click();
    await expect(student.page.getByText('Only the staff can write here now.')).toBeVisible();
  });
});
