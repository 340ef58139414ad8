import AxeBuilder from '@axe-core/playwright';
import { expect, test } from '../fixtures/homeroom.ts';
import { signIn } from '../fixtures/steps.ts';

const pages = {
  student: ['/', '/courses', '/courses/practical-sql', '/notifications', '/settings', '/nowhere'],
  instructor: [
    '/',
    '/courses',
    '/courses/practical-sql/analytics',
    '/courses/practical-sql/reviews',
    '/announcements/new',
    '/notifications',
    '/settings',
    '/nowhere',
  ],
} as const;
const visitorPages = ['/welcome', '/sign-in', '/sign-up', '/forgot-password'];

/** The rules of WCAG 2.2 A and AA, and what axe holds to be good practice. */
const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

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
        const result = await new AxeBuilder({ page }).withTags([...tags]).analyze();
        for (const { id, nodes } of result.violations) {
          violations.push(...nodes.map(({ target }) => `${path}: ${id} at ${String(target)}`));
        }
      };
      if (portal === 'student') for (const path of visitorPages) await check(path);
      await signIn(page, url, `${portal}@homeroom.test`);
      for (const path of pages[portal]) await check(path);
      expect(violations).toEqual([]);
    });
  }
}
