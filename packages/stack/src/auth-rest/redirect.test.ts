import { expect, it } from 'vitest';
import { allowedRedirect } from './redirect.ts';

const rules = { siteUrl: 'https://school.test', redirectUrls: ['https://*.teach.test/a/**'] };

it.each(['https://school.test/anything?a=1', 'https://one.teach.test/a/b/c?d=e.f'])(
  'allows %s',
  (wished) => {
    expect(allowedRedirect(wished, rules)).toBe(wished);
  },
);

it.each([
  null,
  '',
  '/relative',
  'http://school.test/',
  'https://school.test.evil.test/',
  'https://school.test@evil.test/',
  'https://user:pass@school.test/',
  'https://a.b.teach.test/a/b',
  'https://one.teach.test/b',
  'https://evil.test/#https://one.teach.test/a/b',
  'javascript:alert(1)',
  'http://localhost:5173/',
])('sends %s to the site instead', (wished) => {
  expect(allowedRedirect(wished, rules)).toBe(rules.siteUrl);
});

it('takes this machine for itself, by any name and on any port, if the site is on it', () => {
  const local = { siteUrl: 'http://localhost:5173', redirectUrls: [] };
  expect(allowedRedirect('http://127.0.0.1:5174/x', local)).toBe('http://127.0.0.1:5174/x');
  expect(allowedRedirect('http://192.168.1.2:5174/x', local)).toBe(local.siteUrl);
});
