import type { Locator, Page } from '@playwright/test';
import { axeViolations } from '../fixtures/axe.ts';
import { joinCourse, quizCourse, studentAccounts } from '../fixtures/demo-school.ts';
import { expect, test, type School } from '../fixtures/homeroom.ts';
import { press, reach, write } from '../fixtures/keys.ts';
import { expectSignedIn, signIn, unreadCount } from '../fixtures/steps.ts';

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

const MINUTE_MS = 60_000;

/** Signs in by keys alone, from the address of the portal. */
async function signInByKeys(page: Page, portalUrl: string, email: string): Promise<void> {
  await page.goto(`${portalUrl}/sign-in`);
  await write(page, page.getByLabel('E-mail'), email);
  await write(page, page.getByLabel('Password'), 'homeroom-demo');
  await page.keyboard.press('Enter');
  await expectSignedIn(page);
}

/**
 * Types a moment (UTC) into a field of date and time, part by part: as Americans write it or as the
 * British do, since the browser asks as its machine is set up.
 */
async function writeMoment(page: Page, field: Locator, at: Date): Promise<void> {
  await reach(page, field);
  const moment = at.toISOString().slice(0, 16);
  const [year = '', month = '', day = '', hour = '', minute = ''] = moment.split(/[-T:]/);
  const half = Number(hour) < 12 ? 'A' : 'P';
  const hourOfHalf = String(Number(hour) % 12 || 12).padStart(2, '0');
  for (const [date, time] of [
    [month + day + year, hourOfHalf + minute + half],
    [day + month + year, hour + minute],
  ] as const) {
    // To the first part, from whichever side one came.
    for (let part = 0; part < 6; part += 1) await page.keyboard.press('ArrowLeft');
    await page.keyboard.type(date);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.type(time);
    if ((await field.inputValue()) === moment) return;
  }
  expect(await field.inputValue()).toBe(moment);
}

/** A course with a quiz, student2 and another demo student in it, whom nobody expects. */
async function courseWithGuest(school: School, title: string) {
  const course = await quizCourse(school, { title, first: 'What goes in' });
  const [pupil = '', email = ''] = await studentAccounts(school, 2);
  await joinCourse(school, email, course.slug);
  const [guest] = await school.sql<{ name: string }[]>`
    select first_name || ' ' || last_name as name from public.users where email = ${email}`;
  return { ...course, pupil, guest: guest?.name ?? '' };
}

test('a student learns, asks, writes and chooses by keys alone', async ({ school, browserFor }) => {
  test.setTimeout(180_000);
  const { pupil, guest } = await courseWithGuest(school, 'Bread by hand');
  const { page } = await browserFor();
  const main = page.getByRole('main');
  const button = (name: string) => main.getByRole('button', { name, exact: true });

  await test.step('finds a course, enrolls, reads a lesson and passes its quiz', async () => {
    await signInByKeys(page, school.urls.student, pupil);
    await press(
      page,
      page.getByRole('navigation').getByRole('link', { name: 'Catalogue' }).first(),
    );
    await press(page, main.getByRole('link', { name: /Bread by hand/ }));
    await press(page, button('Enroll'));
    await expect(main.getByRole('heading', { name: 'Your progress' })).toBeVisible();
    await press(page, main.getByRole('link', { name: 'What goes in' }));
    await press(page, button('Complete and continue'));
    await expect(main.getByRole('heading', { name: 'Rising' })).toBeVisible();
    // Neither is chosen: a group of radios is one stop, and the arrows choose.
    await press(page, main.getByRole('radio', { name: 'Yeast' }), 'Space');
    await page.keyboard.press('ArrowDown');
    await expect(main.getByRole('radio', { name: 'Salt' })).toBeChecked();
    await page.keyboard.press('ArrowUp');
    await write(page, main.getByLabel('Answer to question 2'), 'grain');
    await press(page, button('Hand in'));
    await expect(main.getByText('100 % right: passed.')).toBeVisible();
  });

  await test.step('asks, answers and reacts in the discussion of a lesson', async () => {
    await press(page, main.getByRole('link', { name: 'Discuss this lesson' }));
    await press(page, main.getByText('Ask something about this lesson'));
    await write(page, main.getByLabel('Title'), 'How warm?');
    await write(page, main.getByLabel('Your question'), 'My kitchen is cold.');
    await press(page, main.getByRole('button', { name: 'Ask', exact: true }));
    await page.waitForURL(/discussions\/[\da-f-]+$/);
    await press(page, main.getByLabel('What to do with this message'));
    await press(page, page.getByRole('button', { name: 'Love it' }));
    await expect(main.getByRole('button', { name: /Love it/, pressed: true })).toBeVisible();
    await press(page, main.getByLabel('What to do with this message'));
    await press(page, page.getByRole('button', { name: 'Reply', exact: true }));
    await expect(main.getByLabel('Write a message')).toBeFocused();
    await page.keyboard.type('Colder than I thought.');
    await page.keyboard.press('Enter');
    await expect(main.getByText('Colder than I thought.')).toBeVisible();
  });

  await test.step('reviews the course, and writes to someone in it', async () => {
    await press(page, main.getByRole('link', { name: 'Discussions of Bread by hand' }));
    await press(page, main.getByRole('link', { name: 'Bread by hand', exact: true }));
    await press(page, main.getByText('Review this course'));
    await reach(page, main.getByRole('radio', { name: '1 star', exact: true }));
    for (const stars of ['2 stars', '3 stars', '4 stars']) {
      await page.keyboard.press('ArrowRight');
      await expect(main.getByRole('radio', { name: stars })).toBeChecked();
    }
    await write(page, main.getByLabel('What others should know'), 'It rises.');
    await press(page, button('Publish the review'));
    await expect(main.getByText('It rises.').last()).toBeVisible();
    await press(page, page.getByRole('link', { name: 'Messages', exact: true }));
    await write(page, main.getByLabel('Find a person to write to'), guest);
    await press(page, main.getByRole('list', { name: 'People to write to' }).getByRole('link'));
    await write(page, main.getByLabel(/^Write to|^Write a message/), 'Have you any yeast left?');
    await page.keyboard.press('Enter');
    await expect(main.getByRole('list', { name: 'Messages' })).toContainText('any yeast left?');
  });

  await test.step('changes settings', async () => {
    await press(page, page.getByLabel(/^Account of /));
    await press(page, page.getByRole('link', { name: 'Settings' }));
    await press(page, main.getByRole('checkbox', { name: 'Mon' }), 'Space');
    await press(page, main.getByRole('switch', { name: 'Quiet hours' }), 'Space');
    await expect(main.getByText('Your quiet hours are saved.')).toBeVisible();
    await expect(main.getByRole('checkbox', { name: 'Mon' })).not.toBeChecked();
    await reach(page, main.getByLabel('How often'));
    await page.keyboard.type('Every w');
    await reach(page, main.getByLabel('Day', { exact: true }));
    await page.keyboard.type('Fri');
    await press(page, button('Save the digest'));
    await expect(main.getByText('Your digest is saved.')).toBeVisible();
    await expect(main.getByText(/^The next one comes Friday/)).toBeVisible();
  });
});

test('a workshop and a course are looked after by keys alone', async ({ school, browserFor }) => {
  test.setTimeout(180_000);
  const { student, instructor } = school.urls;
  const { guest, student: pupil, slug } = await courseWithGuest(school, 'Kneading by hand');
  await school.sql`
    insert into public.course_reviews (course_id, user_id, rating, comment)
    select courses.id, users.id, 4, 'It rises.' from public.courses, public.users
    where slug = ${slug} and email = ${pupil}`;
  const { page } = await browserFor();
  const main = page.getByRole('main');
  const { page: desk } = await browserFor();
  const deskMain = desk.getByRole('main');
  const places = desk.getByRole('navigation', { name: 'Places' });

  await test.step('an instructor looks at charts, answers a review, and plans a workshop', async () => {
    await signInByKeys(desk, instructor, 'instructor@homeroom.test');
    await press(desk, places.getByRole('link', { name: 'Courses' }));
    await press(desk, deskMain.getByRole('link', { name: /Kneading by hand/ }));
    const tabs = deskMain.getByRole('navigation', { name: 'Course' });
    await press(desk, tabs.getByRole('link', { name: 'Analytics' }));
    await press(desk, deskMain.getByRole('link', { name: 'Year' }));
    await expect(desk).toHaveURL(/from=/);
    await press(desk, tabs.getByRole('link', { name: 'Reviews' }));
    await press(desk, deskMain.getByRole('button', { name: /^Answer the review of/ }));
    await desk.keyboard.type('Patience is all.');
    await press(desk, deskMain.getByRole('button', { name: 'Send the answer' }));
    await expect(deskMain.getByText('Patience is all.')).toBeVisible();

    await press(desk, places.getByRole('link', { name: 'Workshops' }));
    await press(desk, deskMain.getByRole('link', { name: 'Plan a workshop' }));
    await reach(desk, deskMain.getByLabel('Course'));
    await desk.keyboard.type('Kneading');
    await write(desk, deskMain.getByLabel('Title'), 'Loaves');
    // Where clocks show UTC all year, as the moments below are written.
    await reach(desk, deskMain.getByLabel('Time zone'));
    await desk.keyboard.type('Africa/Accra');
    await reach(desk, deskMain.getByLabel('Begins'), 'Shift+Tab');
    await writeMoment(desk, deskMain.getByLabel('Begins'), new Date(Date.now() + 5 * MINUTE_MS));
    await writeMoment(desk, deskMain.getByLabel('Ends'), new Date(Date.now() + 65 * MINUTE_MS));
    await press(desk, deskMain.getByRole('button', { name: 'Plan it' }));
    await expect(deskMain.getByRole('heading', { name: 'Loaves' })).toBeVisible();
  });

  await test.step('the student takes a place, and checks in by the code', async () => {
    await signInByKeys(page, student, pupil);
    await press(
      page,
      page.getByRole('navigation').getByRole('link', { name: 'Workshops' }).first(),
    );
    await press(page, main.getByRole('link', { name: /Loaves/ }));
    await press(page, main.getByRole('button', { name: 'Take a place' }));
    await press(desk, deskMain.getByRole('button', { name: 'Show the code' }));
    const code = (await desk.getByText(/^\d{6}$/).textContent()) ?? '';
    await desk.keyboard.press('Escape');
    await expect(deskMain.getByRole('button', { name: 'Show the code' })).toBeFocused();
    await write(page, main.getByLabel('The code on the screen'), code.trim());
    await page.keyboard.press('Enter');
    await expect(main.getByText('You’re checked in.')).toBeVisible();
  });

  await test.step('the instructor checks a walk-in in, takes it back, and writes to all', async () => {
    await press(desk, deskMain.getByLabel(/^Walk-in/));
    await write(desk, deskMain.getByLabel('Who walked in?'), guest);
    await press(desk, deskMain.getByRole('button', { name: `Check in ${guest}` }));
    const here = deskMain.getByRole('region', { name: /^Here/ });
    await expect(here.getByText(/walked in/)).toBeVisible();
    await press(desk, here.getByRole('button', { name: `Undo the check-in of ${guest}` }));
    await write(desk, desk.getByLabel('Why'), 'Left again');
    await press(desk, desk.getByRole('button', { name: 'Take it back' }));
    await expect(here.getByText(/walked in/)).toHaveCount(0);

    await press(desk, places.getByRole('link', { name: 'Dashboard' }));
    await press(desk, deskMain.getByRole('link', { name: /nnouncement/ }).first());
    await press(desk, deskMain.getByRole('link', { name: 'New announcement' }));
    await press(desk, deskMain.getByRole('checkbox', { name: 'Kneading by hand' }), 'Space');
    await write(desk, deskMain.getByLabel('Title'), 'Bring an apron');
    await write(desk, deskMain.getByLabel('Text', { exact: true }), 'It will be floury.');
    await press(desk, deskMain.getByRole('button', { name: 'Send now' }));
    await expect(deskMain.getByText('Bring an apron')).toBeVisible();
  });
});

test('a service key is made and revoked by keys alone', async ({ school, browserFor }) => {
  const { instructor } = school.urls;
  const { page: office } = await browserFor();
  const officeMain = office.getByRole('main');
  await signInByKeys(office, instructor, 'admin@homeroom.test');
  await press(office, office.getByRole('link', { name: 'Admin', exact: true }));
  await press(office, officeMain.getByRole('link', { name: 'Keys' }));
  await write(office, officeMain.getByRole('textbox', { name: 'Name' }), 'Oven');
  await press(office, officeMain.getByLabel('Read people’s names'), 'Space');
  await press(office, officeMain.getByRole('button', { name: 'Make the key' }));
  await expect(office.getByTestId('new-key')).toBeVisible();
  const key = officeMain.getByRole('listitem', { name: 'Oven' });
  await press(office, key.getByText('Revoke…'));
  await press(office, office.getByRole('button', { name: 'Revoke “Oven”' }));
  await expect(officeMain.getByText('The key is revoked.')).toBeVisible();
});
