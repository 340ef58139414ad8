import { axeViolations } from '../fixtures/axe.ts';
import { expect, test } from '../fixtures/homeroom.ts';
import { signIn } from '../fixtures/steps.ts';

test('an administrator makes a key, sees what it does, and revokes it', async ({
  school,
  browserFor,
}) => {
  const { page } = await browserFor();
  const { instructor } = school.urls;
  await signIn(page, instructor, 'admin@homeroom.test');
  await page.getByRole('link', { name: 'Admin' }).click();
  await page.getByRole('link', { name: 'Keys' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Billing');
  await page.getByRole('button', { name: 'Make the key' }).click();
  await expect(page.getByText('Choose at least one.')).toBeVisible();
  await page.getByLabel('Read people’s names').check();
  await page.getByRole('button', { name: 'Make the key' }).click();
  const key = (await page.getByTestId('new-key').textContent()) ?? '';

  const call = async (procedure: string) => {
    const response = await fetch(`${instructor}/api/trpc/services.${procedure}`, {
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(procedure === 'enroll' && { method: 'POST', body: '{}' }),
    });
    return [response.status, await response.text()] as const;
  };
  const users = `users?input=${encodeURIComponent('{"email":"student@homeroom.test"}')}`;
  const [status, found] = await call(users);
  expect([status, found]).toEqual([200, expect.stringContaining('student@homeroom.test')]);
  expect(await call('enroll')).toEqual([403, expect.stringContaining('enrollments:write')]);

  // Not by a reload: of a page that wasn't alive yet, that would send the form again.
  await page.getByRole('link', { name: 'System' }).click();
  await page.getByRole('link', { name: 'Keys' }).click();
  const shown = page.getByRole('listitem', { name: 'Billing' });
  await expect(shown).toContainText('last used');
  await expect(page.getByTestId('new-key')).toHaveCount(0);
  const log = page.getByRole('table');
  await expect(log).toContainText('services.users');
  await expect(log).toContainText('refused: SCOPE_MISSING');
  await shown.getByText('Revoke…').click();
  expect(await axeViolations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Revoke “Billing”' }).click();
  await expect(page.getByText('The key is revoked.')).toBeVisible();
  await expect(log).toContainText('revoked');
  expect(await call(users)).toEqual([401, expect.stringContaining('SERVICE_KEY_REVOKED')]);
});

test('the system’s figures move, and a part that breaks leaves the rest working', async ({
  school,
  browserFor,
}) => {
  const { page } = await browserFor();
  const { instructor, student } = school.urls;
  await signIn(page, instructor, 'admin@homeroom.test');
  await page.goto(`${instructor}/admin`);
  const samples = page
    .getByRole('row', { name: /^Commit to screen/ })
    .getByRole('cell')
    .last();
  expect(await axeViolations(page)).toEqual([]);
  const before = Number.parseInt((await samples.textContent()) ?? '', 10);

  // Somebody looks, is told something, and their browser reports how long that took.
  const { page: theirs } = await browserFor({ phone: true });
  await signIn(theirs, student, 'student@homeroom.test');
  await expect(theirs.locator('[data-live=live]').filter({ visible: true }).first()).toBeVisible();
  await school.sql`
    select public.create_notification(id, 'system', 'Counted', 'On its way')
    from public.users where email = 'student@homeroom.test'`;
  await expect
    .poll(async () => Number.parseInt((await samples.textContent()) ?? '', 10), { timeout: 40_000 })
    .toBeGreaterThan(before);

  await page.route('**/monitoring.watch*', async (route) => {
    const response = await route.fetch();
    const answers = (await response.json()) as { result: { data: { data: object } } }[];
    Object.assign(answers[0]!.result.data.data, { minutes: null });
    await route.fulfill({ response, json: answers });
  });
  await expect(page.getByText('This part of the page has stopped working.')).toBeVisible();
  await page.unroute('**/monitoring.watch*');
  await page.getByRole('link', { name: 'Keys' }).click();
  await expect(page.getByRole('heading', { name: 'Service keys' })).toBeVisible();
  await page.getByRole('link', { name: 'System' }).click();
  await expect(page.getByText('instructor portal, system, last on /admin')).toBeVisible({
    timeout: 40_000,
  });

  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.reload();
  expect(await axeViolations(page)).toEqual([]);

  const ready = await fetch(`${student}/ready`);
  expect(await ready.json()).toMatchObject({ ok: true, migrations: 'current' });
  expect(ready.headers.get('x-request-id')).toBeTruthy();
  const metrics = await fetch(`${instructor}/metrics`);
  expect(await metrics.text()).toContain('homeroom_job_ok{job="tell-leaderboards"} 1');
});
