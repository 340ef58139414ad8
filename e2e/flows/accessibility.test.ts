import { readdir } from 'node:fs/promises';
import { axeViolations } from '../fixtures/axe.ts';
import { parametersFor, type Parameters } from '../fixtures/demo-school.ts';
import { expect, test } from '../fixtures/homeroom.ts';
import { unreachedByTab } from '../fixtures/keys.ts';
import { signIn } from '../fixtures/steps.ts';

// Each goes through two dozen pages.
test.describe.configure({ timeout: 300_000 });

const looks = [
  { phone: false, dark: false },
  { phone: true, dark: true },
] as const;

/**
 * The addresses of every page that a portal has, as its routes say: none is forgotten, and one with
 * a parameter that isn't known here fails. Pages for signed-in people are in `(app)`.
 */
async function addressesOf(portal: 'student' | 'instructor', parameters: Parameters) {
  const routes = new URL(`../../apps/${portal}/src/routes/`, import.meta.url);
  const files = await readdir(routes, { recursive: true });
  const pages = files.filter((file) => file.endsWith('+page.svelte'));
  return pages.sort().map((file) => {
    const route = file.replace(/\/?\+page\.svelte$/, '').replaceAll(/(^|\/)\([^)]+\)(?=\/|$)/g, '');
    const path = `/${route}`.replace('//', '/').replaceAll(/\[([^\]]+)\]/g, (_, name: string) => {
      const value = parameters[name];
      if (!value) throw new Error(`${file} needs a “${name}” of the demo school`);
      return value;
    });
    return { path, isForMembers: file.startsWith('(app)') };
  });
}

for (const portal of ['student', 'instructor'] as const) {
  for (const look of looks) {
    const device = `${look.phone ? 'a phone' : 'a desktop'}, ${look.dark ? 'dark' : 'light'}`;

    const also = look.phone ? '' : ', and Tab reaches all of it';
    test(`axe finds nothing on any page of the portal of a ${portal} on ${device}${also}`, async ({
      school,
      browserFor,
    }) => {
      const url = school.urls[portal];
      const addresses = await addressesOf(portal, await parametersFor(school, portal));
      const violations: string[] = [];
      const check = async (as: string | null, paths: string[]) => {
        const { page } = await browserFor(look);
        if (as !== null) await signIn(page, url, `${as}@homeroom.test`);
        for (const path of paths) {
          const answer = await page.goto(url + path);
          if (path !== '/nowhere') expect(answer?.status(), path).toBe(200);
          violations.push(...(await axeViolations(page)));
          if (!look.phone) violations.push(...(await unreachedByTab(page)));
        }
      };
      const pathsOf = (wanted: (address: (typeof addresses)[number]) => boolean) =>
        addresses.filter(wanted).map(({ path }) => path);
      const isForAdmins = (path: string) => path.startsWith('/admin');
      await check(
        null,
        pathsOf(({ isForMembers }) => !isForMembers),
      );
      await check(portal, [
        ...pathsOf(({ path, isForMembers }) => isForMembers && !isForAdmins(path)),
        '/nowhere',
      ]);
      if (portal === 'instructor')
        await check(
          'admin',
          pathsOf(({ path }) => isForAdmins(path)),
        );
      expect(violations).toEqual([]);
    });
  }
}
