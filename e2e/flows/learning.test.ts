import { createPublicKey, type JsonWebKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { readyToFinish } from '../fixtures/demo-school.ts';
import { expect, test } from '../fixtures/homeroom.ts';
import { signIn } from '../fixtures/steps.ts';

test('the last lesson on one device shows on all others at once', async ({
  school,
  browserFor,
}) => {
  const { email, slug, lessonId, name } = await readyToFinish(school);
  const phone = await browserFor({ phone: true });
  const laptop = await browserFor();
  const instructor = await browserFor();
  await signIn(phone.page, school.urls.student, email);
  await signIn(laptop.page, school.urls.student, email);
  await signIn(instructor.page, school.urls.instructor, 'instructor@homeroom.test');
  await laptop.page.goto(`${school.urls.student}/courses/${slug}`);
  await instructor.page.goto(`${school.urls.instructor}/courses/${slug}`);
  await expect(laptop.page.getByRole('main').locator('[data-live=live]')).toBeVisible();
  await expect(instructor.page.getByRole('main').locator('[data-live=live]')).toBeVisible();

  await phone.page.goto(`${school.urls.student}/courses/${slug}/${lessonId}`);
  await phone.page.getByRole('button', { name: /^Complete/ }).click();

  await expect(laptop.page.getByText('You have completed this course')).toBeVisible();
  await expect(
    instructor.page
      .getByRole('row', { name: new RegExp(name) })
      .getByRole('progressbar', { name: `Progress of ${name}` }),
  ).toHaveAttribute('aria-valuenow', '100');

  await laptop.page.getByRole('link', { name: 'See the certificate' }).click();
  await expect(laptop.page.getByRole('article').getByText(name)).toBeVisible();
  const address =
    (await laptop.page.getByRole('link', { name: 'Public page' }).getAttribute('href')) ?? '';

  await test.step('the certificate is a file to print, and a badge that others can verify', async () => {
    const downloading = laptop.page.waitForEvent('download');
    await laptop.page.getByRole('link', { name: 'PDF' }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toMatch(/^certificate-HR-[0-9A-F]{32}\.pdf$/);
    const pdf = await readFile(await download.path());
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.subarray(-6).toString()).toContain('%%EOF');

    const badge = await (await fetch(`${address}/badge`)).text();
    const [header = '', claims = '', signature = ''] = badge.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    const key = (await (await fetch(kid)).json()) as JsonWebKey;
    const isSigned = verify(
      'RSA-SHA256',
      Buffer.from(`${header}.${claims}`),
      createPublicKey({ key, format: 'jwk' }),
      Buffer.from(signature, 'base64url'),
    );
    expect(isSigned).toBe(true);
  });

  await test.step('the certificate holds, for anybody who asks, until it is taken back', async () => {
    const visitor = await browserFor();
    await visitor.page.goto(address);
    await expect(visitor.page.getByRole('heading', { name: 'Yes' })).toBeVisible();
    await expect(visitor.page.locator('[data-live=live]')).toBeVisible();

    await instructor.page
      .getByRole('button', { name: `Take back the certificate of ${name}` })
      .click();
    await instructor.page.getByLabel('Reason').fill('Somebody else sat the quiz.');
    await instructor.page.getByRole('button', { name: 'Take it back' }).click();
    await expect(instructor.page.getByText('Taken back')).toBeVisible();

    await expect(visitor.page.getByRole('heading', { name: 'No' })).toBeVisible();
    await expect(visitor.page.getByText('Somebody else sat the quiz.')).toBeVisible();
    await expect(laptop.page.getByText('This certificate was taken back.')).toBeVisible();
  });
});
