import { expect, it } from 'vitest';
import { requireOwnOrigin } from './origin.ts';

function call(method: string, headers: Record<string, string> = {}): () => void {
  const request = new Request('https://homeroom.test/api/trpc/x', { method, headers });
  return () => requireOwnOrigin(request);
}

it('lets a page of the portal write', () => {
  expect(call('POST', { 'sec-fetch-site': 'same-origin' })).not.toThrow();
  expect(call('POST', { origin: 'https://homeroom.test' })).not.toThrow();
});

it('lets anybody read: only the portal itself sees the answer', () => {
  expect(call('GET', { 'sec-fetch-site': 'cross-site' })).not.toThrow();
});

it.each([
  { 'sec-fetch-site': 'cross-site', origin: 'https://homeroom.test' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
  { origin: 'https://evil.test' },
  { origin: 'null' },
  {},
])('refuses a write with %j', (headers) => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    expect(call(method, headers as Record<string, string>)).toThrow('another site');
  }
});
