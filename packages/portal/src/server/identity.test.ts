import { expect, it } from 'vitest';
import { nextPage } from './identity.ts';

const after = (next: string) =>
  nextPage({ url: new URL(`http://school.test/sign-in?next=${encodeURIComponent(next)}`) });

it('leads back to the page that was asked for', () => {
  expect(after('/courses/bread?tab=lessons')).toBe('/courses/bread?tab=lessons');
});

it.each(['https://evil.test/', '//evil.test', 'javascript:alert(1)', '\\\\evil.test', 'http://'])(
  'never leads to another site: %s',
  (next) => {
    expect(after(next)).toBe('/');
  },
);
