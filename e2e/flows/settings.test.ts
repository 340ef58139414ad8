import { expect, test, type School } from '../fixtures/homeroom.ts';
import { digestMailedTo, signIn, signUp } from '../fixtures/steps.ts';

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

/** Has the database tell someone something, in a course or in none. */
const tell = (school: School, firstName: string, type: string, said: string, slug?: string) =>
  school.sql`
    select public.create_notification(
      id, ${type}, ${said}, 'For you',
      coalesce(
        (select jsonb_build_object('course_id', id) from public.courses where slug = ${slug ?? ''}),
        '{}'
      )
    )
    from public.users where first_name = ${firstName}`;

test('what is switched off doesn’t ring, but for the course where it is on', async ({
  school,
  browserFor,
}) => {
  const { page } = await browserFor({ phone: true });
  await signUp(page, school, 'Runa');
  // Nobody is told of it: other flows look at who enrolls.
  const [loud, other] = await school.sql.begin(async (sql) => {
    await sql`select set_config('homeroom.quiet', 'on', true)`;
    return sql<{ slug: string; title: string }[]>`
      with taken as (
        select * from public.courses where status = 'published' order by title limit 2
      ), enrolled as (
        insert into public.enrollments (user_id, course_id)
        select users.id, taken.id from public.users, taken where first_name = 'Runa'
      )
      select slug, title from taken`;
  });
  if (!loud || !other) throw new Error('The demo school has two courses');
  await page.goto(`${school.urls.student}/settings`);
  const general = page.getByRole('table', { name: 'Notifications of all courses' });
  await general.getByRole('switch', { name: 'Announcement', exact: true }).uncheck();
  await expect(page.getByText('Your choice is saved.')).toBeVisible();
  await expect(general.getByRole('switch', { name: 'Announcement by e-mail' })).toBeDisabled();
  await page.getByLabel('Course', { exact: true }).selectOption(loud.title);
  const ofCourse = page.getByRole('table', { name: `Notifications of ${loud.title}` });
  await ofCourse.getByRole('switch', { name: 'Announcement', exact: true }).check();
  await expect(page.getByText('Your choice for the course is saved.')).toBeVisible();

  await tell(school, 'Runa', 'announcement', 'Said to all');
  await tell(school, 'Runa', 'announcement', 'Said elsewhere', other.slug);
  await tell(school, 'Runa', 'announcement', 'Said there', loud.slug);
  await tell(school, 'Runa', 'message', 'Said as message');
  await page.goto(`${school.urls.student}/notifications`);
  const main = page.getByRole('main');
  await expect(main.getByText('Said as message')).toBeVisible();
  await expect(main.getByText('Said there')).toBeVisible();
  await expect(main.getByText('Said to all')).toHaveCount(0);
  await expect(main.getByText('Said elsewhere')).toHaveCount(0);

  await page.goto(`${school.urls.student}/settings`);
  await page.getByLabel('Course', { exact: true }).selectOption(`${loud.title} (1 of its own)`);
  await page.getByRole('button', { name: 'As in all courses again' }).click();
  await expect(
    ofCourse.getByRole('switch', { name: 'Announcement', exact: true }),
  ).not.toBeChecked();
});

test('in quiet hours nothing rings or is mailed; then the digest comes, and is turned off', async ({
  school,
  browserFor,
}) => {
  const { page } = await browserFor();
  await signUp(page, school, 'Tuva');
  await page.goto(`${school.urls.student}/settings`);
  // Around now, by the clock of a new account's time zone.
  const clock = (hours: number) =>
    new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
  await page.getByLabel('From', { exact: true }).fill(clock(-1));
  await page.getByLabel('To', { exact: true }).fill(clock(-1));
  await page.getByRole('button', { name: 'Save the quiet hours' }).click();
  await expect(page.getByText('Choose another end: they begin at this time.')).toBeVisible();
  await page.getByLabel('To', { exact: true }).fill(clock(4));
  await page.getByRole('switch', { name: 'Quiet hours' }).check();
  await expect(page.getByText('Your quiet hours are saved.')).toBeVisible();
  await page.getByLabel('How often').selectOption('Every day');
  await page.getByRole('button', { name: 'Save the digest' }).click();
  await expect(page.getByText(/^The next one comes .+, if there is something/)).toBeVisible();

  await tell(school, 'Tuva', 'announcement', 'Dough is rising');
  const bell = page.getByLabel('Notifications, 1 unread');
  await expect(bell).toBeVisible();
  await expect(page.getByText('1 unread notifications')).toHaveCount(0);
  await bell.click();
  await expect(page.getByText(`Quiet until ${clock(4).slice(0, 2)}`)).toBeVisible();
  await page.keyboard.press('Escape');

  const makeDigests = async () => {
    await school.sql`
      update public.notifications set created_at = now() - interval '2 minutes'
      where title = 'Dough is rising'`;
    await school.sql`
      update public.notification_settings
      set digest_due_at = now(), digest_since = now() - interval '1 day'
      where user_id = (select id from public.users where first_name = 'Tuva')`;
    await school.sql`select private.make_digests()`;
    const [row] = await school.sql<{ email: string; digests: number }[]>`
      select email, (
        select count(*)::integer from private.notification_digests where user_id = users.id
      ) as digests
      from public.users where first_name = 'Tuva'`;
    return row ?? { email: '', digests: 0 };
  };
  expect((await makeDigests()).digests).toBe(0);
  await page.getByRole('switch', { name: 'Quiet hours' }).uncheck();
  await expect(page.getByText('1 unread notifications')).toHaveCount(1);
  const { email, digests } = await makeDigests();
  expect(digests).toBe(1);
  const mail = await digestMailedTo(school, email);
  expect(mail).toContain('Dough is rising');

  const { page: elsewhere } = await browserFor();
  const stop = /http:\S+\/digest\/\S+/.exec(mail)?.[0] ?? '';
  await elsewhere.goto(stop);
  await elsewhere.getByRole('button', { name: 'Turn it off' }).click();
  await expect(elsewhere.getByText('The digest is off')).toBeVisible();
  await page.reload();
  await expect(page.getByLabel('How often')).toHaveValue('off');

  await test.step('a mail program turns it off too: a form without an origin, and no cookie', async () => {
    await page.getByLabel('How often').selectOption('Every week');
    await page.getByRole('button', { name: 'Save the digest' }).click();
    await expect(page.getByText('Your digest is saved.')).toBeVisible();
    const form = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    const answer = await fetch(stop, { method: 'POST', body: form, redirect: 'error' });
    expect(answer.status).toBe(200);
    await page.reload();
    await expect(page.getByLabel('How often')).toHaveValue('off');
    const elsewhere = await fetch(`${school.urls.student}/settings?/digest`, {
      ...{ method: 'POST', body: form },
    });
    expect(elsewhere.status).toBe(403);
  });
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
