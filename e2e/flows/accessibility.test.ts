import { axeViolations } from '../fixtures/axe.ts';
import { expect, test } from '../fixtures/homeroom.ts';
import { signIn } from '../fixtures/steps.ts';

const pages = {
  student: [
    '/',
    '/courses',
    '/courses/practical-sql',
    '/courses/practical-sql/discussions',
    '/messages',
    '/notifications',
    '/settings',
    '/nowhere',
  ],
  instructor: [
    '/',
    '/courses',
    '/courses/new',
    '/courses/practical-sql/analytics',
    '/courses/practical-sql/edit',
    '/courses/practical-sql/edit/publish',
    '/courses/practical-sql/moderation',
    '/courses/practical-sql/reviews',
    '/announcements/new',
    '/messages',
    '/notifications',
    '/settings',
    '/nowhere',
  ],
} as const;
const visitorPages = [
  '/welcome',
  '/catalogue/practical-sql',
  '/sign-in',
  '/sign-up',
  '/forgot-password',
];

// Each goes through a dozen pages.
test.describe.configure({ timeout: 180_000 });

const looks = [
  { phone: false, dark: false },
  { phone: true, dark: true },
] as const;

for (const portal of ['student', 'instructor'] as const) {
  for (const look of looks) {
    const device = `${look.phone ? 'a phone' : 'a desktop'}, ${look.dark ? 'dark' : 'light'}`;

    test(`axe finds nothing in the portal of a ${portal} on ${device}`, async ({
      school,
      browserFor,
    }) => {
      const { page } = await browserFor(look);
      const url = school.urls[portal];
      const violations: string[] = [];
      const check = async (path: string) => {
        await page.goto(url + path);
        violations.push(...(await axeViolations(page)));
      };
      if (portal === 'student') for (const path of visitorPages) await check(path);
      await signIn(page, url, `${portal}@homeroom.test`);
      for (const path of pages[portal]) await check(path);
      expect(violations).toEqual([]);
    });
  }
}
