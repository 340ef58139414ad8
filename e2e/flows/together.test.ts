import { expect, test, type Person, type School } from '../fixtures/homeroom.ts';
import { placeWithPayloads, joinCourse } from '../fixtures/demo-school.ts';
import { signIn, unreadCount } from '../fixtures/steps.ts';

/** The course in which the demo student and the demo instructor meet. */
const SLUG = 'practical-sql';
const THREAD = /Start here/;

// Each flow has three browsers, all of which sign in.
test.setTimeout(150_000);

/** Opens the course's pinned thread. */
async function openThread({ page }: Person, portalUrl: string): Promise<void> {
  await page.goto(`${portalUrl}/courses/${SLUG}/discussions`);
  await page.getByRole('link', { name: THREAD }).click();
  await expect(page.getByRole('main').locator('[data-live=live]')).toBeVisible();
}

/** The student, a fellow student and the instructor, each in a browser of their own. */
async function seminar(school: School, browserFor: () => Promise<Person>) {
  await joinCourse(school, 'student2@homeroom.test', SLUG);
  const ann = await browserFor();
  const bob = await browserFor();
  const iris = await browserFor();
  await signIn(ann.page, school.urls.student, 'student@homeroom.test');
  await signIn(bob.page, school.urls.student, 'student2@homeroom.test');
  await signIn(iris.page, school.urls.instructor, 'instructor@homeroom.test');
  await openThread(ann, school.urls.student);
  await openThread(bob, school.urls.student);
  await openThread(iris, school.urls.instructor);
  return { ann, bob, iris };
}

test('two students and an instructor are in a thread together', async ({ school, browserFor }) => {
  const { ann, bob, iris } = await seminar(school, browserFor);
  const composer = ({ page }: Person) => page.getByLabel('Write a message');
  const [who] = await school.sql<{ name: string }[]>`
    select first_name || ' ' || last_name as name from public.users
    where email = 'student@homeroom.test'`;
  const name = who?.name ?? '';

  await test.step('each sees that the others are here', async () => {
    for (const { page } of [ann, bob, iris]) {
      await expect(page.getByRole('group', { name: 'Here now' })).toHaveAttribute('data-here', '3');
    }
  });

  await test.step('one writes, and the others see it coming; not the writer', async () => {
    await composer(ann).pressSequentially('A question: ');
    for (const { page } of [bob, iris]) {
      await expect(page.getByText(`${name} is writing…`)).toBeVisible();
    }
    await expect(ann.page.getByText('is writing…')).toHaveCount(0);
    await composer(ann).press('Enter');
    await expect(bob.page.getByText('A question:')).toBeVisible();
    await expect(bob.page.getByText(`${name} is writing…`)).toHaveCount(0);
  });

  await test.step('who is named is told, wherever they are', async () => {
    await ann.page.goto(school.urls.student);
    const before = await unreadCount(ann.page);
    await composer(iris).pressSequentially(`See what @${name.slice(0, 3)}`);
    await iris.page.getByRole('option', { name }).click();
    await composer(iris).pressSequentially('has found.');
    await composer(iris).press('Enter');
    await expect(bob.page.getByText(`@${name}`)).toBeVisible();
    await expect.poll(() => unreadCount(ann.page)).toBe(before + 1);
  });

  await test.step('it is locked while another writes, who keeps what they wrote', async () => {
    await composer(bob).fill('Half a sentence');
    await iris.page.getByRole('button', { name: 'Lock' }).click();
    await expect(bob.page.getByText('Only the staff can write here now.')).toBeVisible();
    await iris.page.getByRole('button', { name: 'Let students write' }).click();
    await expect(composer(bob)).toHaveValue('Half a sentence');
  });

  await test.step('a message is reported, and the instructor decides', async () => {
    await composer(bob).fill('Buy my solutions!');
    await composer(bob).press('Enter');
    await openThread(ann, school.urls.student);
    await ann.page.getByLabel('What to do with this message').last().click();
    await ann.page.getByRole('button', { name: 'Report' }).click();
    await ann.page.getByLabel('What is wrong with it?').selectOption('cheating');
    await ann.page.getByRole('dialog').getByRole('button', { name: 'Report' }).click();
    await expect(ann.page.getByText('will look at it')).toBeVisible();
    await ann.page.getByRole('button', { name: 'Close' }).click();

    await iris.page.goto(`${school.urls.instructor}/courses/${SLUG}/moderation`);
    const report = iris.page.getByRole('article').filter({ hasText: 'Buy my solutions!' });
    await report.getByRole('button', { name: 'Remove the message' }).click();
    await expect(report).toHaveCount(0);
    await expect(ann.page.getByText('Removed by the staff.')).toBeVisible();
  });

  await test.step('the search finds it, and leads to the message', async () => {
    await ann.page.goto(`${school.urls.student}/courses/${SLUG}/discussions`);
    await ann.page.getByLabel('Search the discussions').fill('enormous spreadsheet');
    await ann.page.getByLabel('Search the discussions').press('Enter');
    await ann.page.getByRole('link', { name: /spreadsheet/ }).click();
    await expect(ann.page).toHaveURL(/message=\d+/);
    await expect(ann.page.getByText('one enormous spreadsheet')).toBeInViewport();
  });
});

test('a conversation is the same on two devices', async ({ school, browserFor }) => {
  const desk = await browserFor();
  const phone = await browserFor({ phone: true });
  const iris = await browserFor();
  for (const { page } of [desk, phone]) {
    await signIn(page, school.urls.student, 'student@homeroom.test');
  }
  await signIn(iris.page, school.urls.instructor, 'instructor@homeroom.test');
  const [people] = await school.sql<{ student: string; instructor: string }[]>`
    select
      (select id from public.users where email = 'student@homeroom.test') as student,
      (select id from public.users where email = 'instructor@homeroom.test') as instructor`;
  const messages = ({ page }: Person) => page.getByRole('list', { name: 'Messages' });
  const badge = async ({ page }: Person) => {
    const text = await page.getByText(/^\d+ unread messages$/).textContent();
    return Number.parseInt(text ?? '', 10);
  };
  // What the demo school left unread is read first.
  await phone.page.goto(`${school.urls.student}/messages/${people?.instructor}`);
  await expect.poll(() => badge(desk)).toBe(0);
  await phone.page.goto(school.urls.student);

  await test.step('unread is counted alike, and read on both when it is read on one', async () => {
    await iris.page.goto(`${school.urls.instructor}/messages/${people?.student}`);
    const composer = iris.page.getByLabel(/^Write to /);
    for (const text of ['Have you seen it?', 'The second one, too?']) {
      await composer.fill(text);
      await composer.press('Enter');
    }
    await expect(iris.page.getByText('Delivered')).toBeVisible();
    await expect(iris.page.locator('[data-contact]')).toHaveText('Online');
    for (const person of [desk, phone]) await expect.poll(() => badge(person)).toBe(2);

    await phone.page.goto(`${school.urls.student}/messages/${people?.instructor}`);
    await expect(messages(phone).getByText('The second one, too?')).toBeInViewport();
    for (const person of [desk, phone]) await expect.poll(() => badge(person)).toBe(0);
    await expect(iris.page.getByText('Read', { exact: true })).toBeVisible();
  });

  await test.step('left unread on one, it is unread on both', async () => {
    await phone.page.getByLabel('What to do with this message').last().click();
    await phone.page.getByRole('button', { name: 'Mark as unread from here' }).click();
    for (const person of [desk, phone]) await expect.poll(() => badge(person)).toBe(1);
  });

  await test.step('written without a network, it arrives once when there is one', async () => {
    await phone.context.setOffline(true);
    await phone.page.getByLabel(/^Write to /).fill('I have seen both.');
    await phone.page.getByRole('button', { name: 'Send' }).click();
    await expect(phone.page.getByText(/Sending…|Waiting for the network…/)).toBeVisible();
    await phone.context.setOffline(false);
    await expect(messages(iris).getByText('I have seen both.')).toHaveCount(1);
    for (const person of [desk, phone]) await expect.poll(() => badge(person)).toBe(0);
  });

  await test.step('who hides is offline for the other, who still shows', async () => {
    const contact = iris.page.locator('[data-contact]');
    await desk.page.goto(`${school.urls.student}/settings`);
    await desk.page.getByRole('switch', { name: 'Invisible' }).click();
    await expect(desk.page.getByText('Your choice is saved.')).toBeVisible();
    await phone.page.reload();
    await expect(contact).toHaveText(/Last seen/);
    await expect(phone.page.locator('[data-contact]')).toHaveText('Online');
    await desk.page.getByRole('switch', { name: 'Invisible' }).click();
    await phone.page.reload();
    await expect(contact).toHaveText('Online');
  });

  await test.step('a message is reported, and gone for both when an administrator removes it', async () => {
    await desk.page.goto(`${school.urls.student}/messages/${people?.instructor}`);
    await desk.page.getByLabel('What to do with this message').last().click();
    await desk.page.getByRole('button', { name: 'Report' }).click();
    await desk.page.getByLabel('What is wrong with it?').selectOption('spam');
    await desk.page.getByRole('dialog').getByRole('button', { name: 'Report' }).click();
    await expect(desk.page.getByText('will look at it')).toBeVisible();
    await desk.page.getByRole('button', { name: 'Close' }).click();

    const admin = await browserFor();
    await signIn(admin.page, school.urls.instructor, 'admin@homeroom.test');
    await admin.page.goto(`${school.urls.instructor}/admin/reports`);
    const report = admin.page.getByRole('article').filter({ hasText: 'The second one, too?' });
    await report.getByRole('button', { name: 'Remove the message' }).click();
    await expect(admin.page.getByText('Nothing to decide')).toBeVisible();
    for (const person of [desk, iris]) {
      await expect(messages(person).getByText('Removed by the administrators.')).toBeVisible();
      await expect(messages(person).getByText('The second one, too?')).toHaveCount(0);
    }
  });

  await test.step('without receipts, neither side sees any', async () => {
    await desk.page.goto(`${school.urls.student}/settings`);
    await desk.page.getByRole('switch', { name: 'Receipts' }).click();
    await expect(desk.page.getByText('Your choice is saved.')).toBeVisible();
    await iris.page.reload();
    await expect(messages(iris).getByText('I have seen both.')).toBeVisible();
    await expect(iris.page.locator('[data-receipt]')).toHaveCount(0);
    await desk.page.getByRole('switch', { name: 'Receipts' }).click();
  });
});

test('nothing that people write runs in a browser', async ({ school, browserFor }) => {
  const place = await placeWithPayloads(school);
  for (const portal of ['student', 'instructor'] as const) {
    const { page } = await browserFor();
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await signIn(page, school.urls[portal], `${portal}@homeroom.test`);
    for (const path of place.paths[portal]) {
      await page.goto(school.urls[portal] + path);
      await expect(page.locator('[data-live=live]').first()).toBeVisible();
      // What opens when one looks closer is looked at, too.
      await page
        .getByLabel(/^Notifications/)
        .first()
        .click();
      const found = await page.evaluate(() => ({
        // An element whose id is `ran` is no number.
        ran: (globalThis as { ran?: unknown }).ran === 1,
        handlers: [...document.querySelectorAll('*')].flatMap(({ attributes }) =>
          [...attributes].map(({ name }) => name).filter((name) => name.startsWith('on')),
        ),
        addresses: [...document.querySelectorAll('[href], [src]')]
          .map((element) => element.getAttribute('href') ?? element.getAttribute('src') ?? '')
          .filter((address) => {
            const { protocol } = new URL(address, location.href);
            return !['http:', 'https:', 'mailto:'].includes(protocol);
          }),
      }));
      expect(found, path).toEqual({ ran: false, handlers: [], addresses: [] });
    }
    expect(dialogs).toEqual([]);
    for (const path of portal === 'instructor' ? place.files : []) {
      const { headers } = await page.evaluate(async (address) => {
        const answer = await fetch(address);
        return { headers: Object.fromEntries(answer.headers) };
      }, path);
      // What people write is in the file, never in its name.
      expect(headers['content-disposition'], path).toMatch(/^attachment; filename="[\w.-]+"$/);
      expect(headers['content-type'], path).toMatch(/^text\/csv/);
    }
  }
});
