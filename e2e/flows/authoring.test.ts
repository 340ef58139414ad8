import type { Page } from '@playwright/test';
import { quizCourse } from '../fixtures/demo-school.ts';
import { expect, test } from '../fixtures/homeroom.ts';
import { enroll, signIn } from '../fixtures/steps.ts';

const textOf = (page: Page) => page.getByRole('textbox', { name: 'Text', exact: true });
const isSaved = (page: Page) => expect(page.getByRole('status').getByText('Saved.')).toBeVisible();

/** Goes to a button or a link by its name and uses it by key. */
async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).focus();
  await page.keyboard.press('Enter');
}

test('a course is written and published by keyboard; what is wrong is told, and not kept', async ({
  school,
  browserFor,
}) => {
  const { page } = await browserFor();
  await signIn(page, school.urls.instructor, 'instructor@homeroom.test');
  await page.goto(`${school.urls.instructor}/courses/new`);
  await page.getByLabel('Title').focus();
  await page.keyboard.type('Rye & sourdough');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/courses/rye-sourdough/edit');
  const outline = page.getByRole('navigation', { name: 'Outline' });
  await expect(page.getByRole('main').locator('[data-live=live]')).toBeVisible();

  await test.step('modules and lessons, put in order by keys and by dragging', async () => {
    for (const title of ['Baking', 'Starter']) {
      await press(page, 'Add a module');
      await page.keyboard.type(title);
      await page.keyboard.press('Enter');
      await press(page, `Add a lesson to “${title}”`);
      await page.keyboard.type(`${title}, first steps`);
      await page.keyboard.press('Enter');
      await expect(page.getByLabel('Title', { exact: true })).toHaveValue(`${title}, first steps`);
    }
    const order = () => outline.getByRole('listitem').getByRole('link').allInnerTexts();
    const lesson = outline.getByLabel(/^Move or change “Starter, first steps”/);
    await outline.getByLabel(/^Move or change “Starter”/).press('ArrowUp');
    await expect(outline.getByRole('heading').first()).toHaveText('Starter');
    await expect(outline.getByLabel(/^Move or change “Starter”/)).toBeFocused();
    await lesson.press('ArrowDown');
    await expect(outline.getByText('“Starter, first steps” is lesson 1 of 2')).toBeAttached();
    await lesson.dragTo(outline.getByRole('link', { name: /^Baking, first/ }), {
      targetPosition: { x: 20, y: 28 },
    });
    await expect.poll(async () => (await order())[0]).toContain('Baking');
    await expect.poll(async () => (await order())[1]).toContain('Starter');
  });

  await test.step('a lesson, with a text that would do harm', async () => {
    await outline.getByRole('link', { name: /^Starter, first/ }).press('Enter');
    await expect(page.getByLabel('Title', { exact: true })).toHaveValue('Starter, first steps');
    // Not by keys: SvelteKit takes the focus away when it has come to a page.
    await textOf(page).fill('# Feed it\n\n<img src=x onerror=alert(1)> [bad](javascript:alert(1))');
    const preview = page.getByRole('region', { name: 'Preview' });
    await expect(preview.getByRole('heading', { name: 'Feed it' })).toBeVisible();
    await expect(preview.locator('img, [href^=javascript]')).toHaveCount(0);

    await page.getByRole('switch', { name: 'Students see it' }).press('Space');
    await page.reload();
    await expect(page.getByText('It was kept on this device')).toBeVisible();
    await expect(textOf(page)).toHaveValue(/Feed it/);
    await page.keyboard.press('Control+s');
    await isSaved(page);
  });

  await test.step('a text that is too long and a quiz that can’t be taken are refused', async () => {
    const kept = await textOf(page).inputValue();
    await textOf(page).fill('x'.repeat(262_145));
    await page.keyboard.press('Control+s');
    await expect(page.getByRole('alert')).toContainText('Text: Longer than 256 kB');
    await textOf(page).fill(kept);
    await page.getByLabel('Kind').selectOption('Quiz');
    await press(page, 'Write a question');
    await page.keyboard.press('Control+s');
    await expect(page.getByRole('alert')).toContainText('Question 1, choice 2: Write something');
    await expect(page.getByRole('alert')).toContainText('Question 1, right answer: Say which');
    const [draft] = await school.sql<{ version: number }[]>`
      select version from public.lesson_drafts
      where edit ->> 'title' = 'Starter, first steps'`;
    expect(draft?.version).toBe(1);
    await press(page, 'Undo all');
  });

  await page.getByRole('link', { name: 'Review and publish' }).press('Enter');
  await expect(page.getByText('“Starter, first steps” is new.')).toBeVisible();
  await press(page, 'Publish');
  await expect(page.getByText('Version 1 is out.')).toBeVisible();

  const student = await browserFor({ phone: true });
  await signIn(student.page, school.urls.student, 'student2@homeroom.test');
  await enroll(student.page, school.urls.student, 'rye-sourdough');
  await student.page.getByRole('link', { name: 'Start', exact: true }).click();
  await expect(student.page.getByRole('heading', { name: 'Feed it' })).toBeVisible();
  await expect(student.page.getByRole('article').locator('img, [href^=javascript]')).toHaveCount(0);
});

test('a lesson changes under a student who is half-way through its quiz', async ({
  school,
  browserFor,
}) => {
  const { slug, lessonId, student } = await quizCourse(school);
  const [{ page: reader }, { page: author }] = [await browserFor(), await browserFor()];
  await signIn(reader, school.urls.student, student);
  await reader.goto(`${school.urls.student}/courses/${slug}/${lessonId}`);
  await signIn(author, school.urls.instructor, 'instructor@homeroom.test');
  await author.goto(`${school.urls.instructor}/courses/${slug}/edit/${lessonId}`);
  await expect(author.getByText('1 learner is here')).toBeVisible();

  const yeast = reader.getByRole('radio', { name: 'Yeast' });
  const flour = reader.getByLabel('Answer to question 2');
  await yeast.check();
  await flour.fill('grai');
  const placeBefore = await flour.evaluate((field) => field.getBoundingClientRect().top);

  const written = await textOf(author).inputValue();
  await textOf(author).fill(`A paragraph that is new.\n\n${written}`);
  await author.getByLabel('What it asks').nth(1).fill('What is flour ground from?');
  await author.getByRole('button', { name: 'Add a question' }).click();
  await author.getByLabel('What it asks').nth(2).fill('What else goes in?');
  await author.getByLabel('Kind').last().selectOption('A short answer');
  await author.getByLabel('Answers that are right').last().fill('salt\nwater');
  await author.keyboard.press('Control+s');
  await isSaved(author);
  await author.getByRole('link', { name: 'Review and publish' }).click();
  await author.getByText('“Rising” was changed.').click();
  await expect(author.getByLabel('Difference: Text')).toContainText('A paragraph that is new.');
  await author.getByLabel('What students are told').fill('A question more, on salt.');
  await author.getByRole('button', { name: 'Publish' }).click();
  await expect(author.getByText('Version 2 is out.')).toBeVisible();

  await expect(reader.getByText('What you have answered is kept.')).toBeVisible();
  await expect(reader.getByText('A question more, on salt.')).toBeVisible();
  await expect(reader.getByText('What is flour ground from?')).toBeVisible();
  await expect(reader.getByText('A paragraph that is new.')).toBeAttached();
  await expect(yeast).toBeChecked();
  await expect(flour).toHaveValue('grai');
  await expect(flour).toBeFocused();
  const placeAfter = await flour.evaluate((field) => field.getBoundingClientRect().top);
  expect(Math.abs(placeAfter - placeBefore)).toBeLessThan(2);

  await flour.pressSequentially('n');
  await reader.getByLabel('Answer to question 3').fill('Salt');
  await reader.getByRole('button', { name: 'Hand in' }).click();
  await expect(reader.getByText('100 % right: passed.')).toBeVisible();
});

test('two authors change the same lesson: the second sees both texts, and nothing is lost', async ({
  school,
  browserFor,
}) => {
  const [lesson] = await school.sql<{ id: string; slug: string }[]>`
    select lessons.id, courses.slug
    from public.lessons
    join public.modules on modules.id = lessons.module_id
    join public.courses on courses.id = modules.course_id
    where courses.slug = 'practical-sql' and lessons.title = 'The missing value'`;
  const path = `/courses/${lesson?.slug}/edit/${lesson?.id}`;
  const [{ page: first }, { page: second }] = [await browserFor(), await browserFor()];
  await signIn(first, school.urls.instructor, 'instructor@homeroom.test');
  await signIn(second, school.urls.instructor, 'admin@homeroom.test');
  for (const page of [first, second]) {
    await page.goto(school.urls.instructor + path);
    await expect(page.getByRole('main').locator('[data-live=live]')).toBeVisible();
  }
  await textOf(first).fill('Null, as somebody tells it.');
  await first.keyboard.press('Control+s');
  await isSaved(first);
  await second.getByRole('button', { name: 'Show it' }).click();
  await expect(textOf(second)).toHaveValue('Null, as somebody tells it.');

  await textOf(second).fill('Null, as the second author tells it.');
  await textOf(first).fill('Null, as the first author tells it.');
  await first.getByLabel('Minutes').fill('12');
  await first.keyboard.press('Control+s');
  await isSaved(first);
  await expect(second.getByText(/saved a draft of this lesson/)).toBeVisible();
  await expect(textOf(second)).toHaveValue('Null, as the second author tells it.');
  await textOf(second).focus();
  await second.keyboard.press('Control+s');
  const conflict = second.getByRole('region', { name: /saved this before you did/ });
  await expect(conflict).toBeFocused();
  await expect(conflict).toContainText('as the first author tells it');
  await expect(conflict.getByLabel('Text, yours')).toContainText('second');
  await expect(conflict.getByRole('group')).toHaveCount(1);
  await conflict.getByRole('radio', { name: 'Take both, yours below' }).check();
  await conflict.getByRole('button', { name: 'Save as chosen' }).click();
  await isSaved(second);
  await expect(textOf(second)).toHaveValue(
    'Null, as the first author tells it.\n\nNull, as the second author tells it.',
  );
  await expect(second.getByLabel('Minutes')).toHaveValue('12');
});
