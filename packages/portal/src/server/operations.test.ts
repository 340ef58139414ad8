import { expect, it } from 'vitest';
import { mayScrape } from './operations.ts';

const asked = (headers: Record<string, string> = {}) =>
  new Request('http://school.test/metrics', { headers });

it('shows metrics to this machine, as long as no proxy stands between', () => {
  expect(mayScrape(asked(), '127.0.0.1', undefined)).toBe(true);
  expect(mayScrape(asked(), '::1', undefined)).toBe(true);
  expect(mayScrape(asked(), '10.0.0.7', undefined)).toBe(false);
  expect(mayScrape(asked({ 'x-forwarded-for': '10.0.0.7' }), '127.0.0.1', undefined)).toBe(false);
});

it('shows them to the bearer of the token alone, where there is one', () => {
  const token = 'a-token-of-some-length';
  expect(mayScrape(asked({ authorization: `Bearer ${token}` }), '10.0.0.7', token)).toBe(true);
  expect(mayScrape(asked({ authorization: 'Bearer another' }), '127.0.0.1', token)).toBe(false);
  expect(mayScrape(asked(), '127.0.0.1', token)).toBe(false);
});
