import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { expect, test, type Person, type School } from '../fixtures/homeroom.ts';
import { joinCourse } from '../fixtures/demo-school.ts';
import { signIn } from '../fixtures/steps.ts';

const run = promisify(execFile);
const HOUR_MS = 3_600_000;

/** What a clock in Stockholm shows at a moment, as a form's field takes it. */
function inStockholm(ms: number): string {
  const form = new Intl.DateTimeFormat('sv-SE', {
    dateStyle: 'short',
    timeStyle: 'short',
    timeZone: 'Europe/Stockholm',
  });
  return form.format(ms).replace(' ', 'T');
}

/** What a person's page is about: the bell beside it has texts of its own. */
const main = ({ page }: Person) => page.getByRole('main');

/** Plans a workshop for one, open to everybody, that begins in five minutes; gives its address. */
async function planWorkshop(page: Page, { urls }: School): Promise<string> {
  await page.goto(`${urls.instructor}/workshops`);
  await page.getByRole('link', { name: 'Plan a workshop' }).click();
  await page.getByLabel('Course').selectOption({ label: 'Practical SQL' });
  await page.getByLabel('Begins').fill(inStockholm(Date.now() + HOUR_MS / 12));
  await page.getByLabel('Ends').fill(inStockholm(Date.now() - HOUR_MS));
  await page.getByLabel('Time zone').selectOption('Europe/Stockholm');
  await page.getByRole('button', { name: 'Plan it' }).click();
  await expect(page.getByText('Give it a title.')).toBeVisible();
  await expect(page.getByText('It has to end after it begins.')).toBeVisible();
  await page.getByLabel('Title').fill('Indexes by hand');
  await page.getByLabel('Room').fill('Room 4');
  await page.getByLabel('Ends').fill(inStockholm(Date.now() + HOUR_MS));
  await page.getByRole('spinbutton', { name: 'Places' }).fill('1');
  await page.getByLabel('Open to everybody').check();
  await page.getByRole('button', { name: 'Plan it' }).click();
  await page.waitForURL(/workshops\/[\da-f-]{36}$/);
  await expect(page.getByRole('heading', { name: 'Indexes by hand' })).toBeVisible();
  return new URL(page.url()).pathname;
}

test('a workshop is planned, overrun, and attended through a network that goes away', async ({
  school,
  browserFor,
}, testInfo) => {
  test.setTimeout(120_000);
  const { student, instructor } = school.urls;
  const [iris, ann, bob] = [await browserFor(), await browserFor(), await browserFor()];
  await signIn(iris.page, instructor, 'instructor@homeroom.test');
  await signIn(ann.page, student, 'student@homeroom.test');
  await signIn(bob.page, student, 'student2@homeroom.test');
  await bob.page.goto(`${student}/workshops`);
  await expect(main(bob).locator('[data-live=live]')).toBeVisible();
  const path = await planWorkshop(iris.page, school);
  await expect(main(bob).getByRole('link', { name: /Indexes by hand/ })).toBeVisible();
  const part = (name: RegExp) => iris.page.getByRole('region', { name });

  await test.step('the second of one place waits, and has it when it is given back', async () => {
    await ann.page.goto(`${student}${path}`);
    await ann.page.getByRole('button', { name: 'Take a place' }).click();
    await expect(main(ann).getByText('You have a place')).toBeVisible();
    await bob.page.goto(`${student}${path}`);
    await bob.page.getByRole('button', { name: 'Join the waiting list' }).click();
    await expect(main(bob).getByText('On the waiting list')).toBeVisible();
    await expect(part(/^On the waiting list/).getByRole('listitem')).toHaveCount(1);
    await expect(part(/^Not here yet/).getByText('online, not checked in')).toBeVisible();
    await ann.page.getByRole('button', { name: 'Give my place back' }).click();
    await expect(main(bob).getByText('You have a place')).toBeVisible();
    await expect(part(/^On the waiting list/)).toHaveCount(0);
  });

  await test.step('who is registered is told of another room at once', async () => {
    await iris.page.getByRole('link', { name: 'Change' }).click();
    await expect(iris.page.getByText('One person is told at once')).toBeVisible();
    await iris.page.getByLabel('Room').fill('Room 9');
    await iris.page.getByRole('button', { name: 'Save' }).click();
    await expect(main(bob).getByText('Room 9')).toBeVisible();
    await bob.page.goto(`${student}/notifications`);
    await expect(main(bob).getByText('"Indexes by hand" has a new place.').first()).toBeVisible();
    await bob.page.goto(`${student}${path}`);
  });

  const phone = await browserFor({ phone: true });
  await test.step('the QR code leads past the sign-in to the code, filled in', async () => {
    await iris.page.getByRole('button', { name: 'Show the code' }).click();
    await expect(iris.page.getByRole('img', { name: /^QR code/ })).toBeVisible();
    const code = await iris.page.getByText(/^\d{6}$/).textContent();
    await iris.page.getByRole('button', { name: 'Close' }).click();
    await phone.page.goto(`${student}/check-in/${path.split('/').at(-1)}?code=${code?.trim()}`);
    await phone.page.getByLabel('E-mail').fill('student2@homeroom.test');
    await phone.page.getByLabel('Password').fill('homeroom-demo');
    await phone.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await expect(phone.page.getByLabel('The code on the screen')).toHaveValue(code!.trim());
    await expect(phone.page.getByRole('main').locator('[data-live=live]')).toBeVisible();
  });

  await test.step('a check-in without a network is kept, and confirmed with it', async () => {
    await phone.context.setOffline(true);
    await phone.page.getByRole('button', { name: 'Check in', exact: true }).click();
    await expect(main(phone).getByText('On its way')).toBeVisible();
    await expect(part(/^Here/)).toHaveCount(0);
    await phone.context.setOffline(false);
    for (const person of [phone, bob]) {
      await expect(main(person).getByText('You’re checked in.')).toBeVisible();
    }
    await expect(part(/^Here/).getByText(/by code/)).toBeVisible();
  });

  await test.step('the instructor takes it back for a reason, and lets someone walk in', async () => {
    await part(/^Here/).getByRole('button', { name: /^Undo/ }).click();
    await iris.page.getByLabel('Why').fill('Sat in the wrong room');
    await iris.page.getByRole('button', { name: 'Take it back' }).click();
    await expect(main(bob).getByText('You have a place')).toBeVisible();
    await part(/^Not here yet/)
      .getByRole('button', { name: /^Check in/ })
      .click();
    await expect(main(bob).getByText('You’re checked in.')).toBeVisible();
    const name = await ann.page.getByLabel(/^Account of /).getAttribute('aria-label');
    await iris.page.getByLabel('Check in someone who hasn’t registered').click();
    await iris.page.getByLabel('Who walked in?').fill(name!.replace('Account of ', ''));
    await iris.page.getByRole('button', { name: name!.replace('Account of', 'Check in') }).click();
    await expect(part(/^Here/).getByText(/walked in/)).toBeVisible();
    await expect(main(ann).getByText('You’re checked in.')).toBeVisible();
  });

  await test.step('the export is what was written, says the command', async () => {
    const [download] = await Promise.all([
      iris.page.waitForEvent('download'),
      iris.page.getByRole('link', { name: 'CSV' }).click(),
    ]);
    const file = testInfo.outputPath('attendance.csv');
    await download.saveAs(file);
    const main = new URL('../../packages/cli/src/main.ts', import.meta.url).pathname;
    const { stdout } = await run(process.execPath, [main, 'attendance', 'verify', file]);
    expect(stdout).toContain('4 entries, as they were written');
  });

  await test.step('it is in one’s own calendar, until it is called off', async () => {
    await bob.page.goto(`${student}/workshops`);
    await bob.page.getByRole('button', { name: 'Make an address' }).click();
    const address = await bob.page.getByLabel('Address of your calendar').inputValue();
    const read = async (url: string) => (await fetch(url)).text();
    expect(await read(address)).toMatch(/STATUS:CONFIRMED[\s\S]*SUMMARY|SUMMARY[\s\S]*CONFIRMED/);
    await bob.page.goto(`${student}${path}`);
    await iris.page.getByRole('link', { name: 'Change' }).click();
    await iris.page.getByText('Call it off').click();
    await iris.page.getByRole('button', { name: 'Call the workshop off' }).click();
    await expect(main(bob).getByText('This workshop was called off.')).toBeVisible();
    expect((await read(address)).replaceAll('\r\n ', '')).toMatch(
      /SUMMARY:Indexes by hand[\s\S]*?STATUS:CANCELLED/,
    );
    await bob.page.goto(`${student}/workshops`);
    await bob.page.getByRole('button', { name: 'Make a new address' }).click();
    await expect(bob.page.getByLabel('Address of your calendar')).not.toHaveValue(address);
    expect((await fetch(address)).status).toBe(404);
  });
});

test('a workshop is planned, and joined, without JavaScript', async ({ school, browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' });
  const page = await context.newPage();
  await signIn(page, school.urls.instructor, 'instructor@homeroom.test');
  await page.goto(`${school.urls.instructor}/workshops/new`);
  await page.getByRole('button', { name: 'Plan it' }).click();
  await expect(page.getByText('Give it a title.')).toBeVisible();
  await page.getByLabel('Title').fill('On paper');
  await page.getByRole('button', { name: 'Plan it' }).click();
  await expect(page.getByRole('heading', { name: 'On paper' })).toBeVisible();
  const { pathname } = new URL(page.url());

  const student = await (
    await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB' })
  ).newPage();
  const [course] = await school.sql<{ slug: string }[]>`
    select slug from public.courses join public.workshops on course_id = courses.id
    where workshops.id = ${pathname.split('/').at(-1) ?? ''}`;
  await joinCourse(school, 'student2@homeroom.test', course?.slug ?? '');
  await signIn(student, school.urls.student, 'student2@homeroom.test');
  await student.goto(school.urls.student + pathname);
  await student.getByRole('button', { name: 'Take a place' }).click();
  await expect(student.getByRole('main').getByText('You have a place')).toBeVisible();
  await student.getByRole('button', { name: 'Give my place back' }).click();
  await expect(student.getByRole('button', { name: 'Take a place' })).toBeVisible();
  await student.context().close();
  await context.close();
});
