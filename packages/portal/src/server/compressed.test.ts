import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { compressed } from './compressed.ts';

const html = '<p>Hello</p>'.repeat(1_000);

function answer(
  headers: Record<string, string>,
  acceptEncoding: string,
  body: string | null = html,
) {
  return compressed(
    new Request('http://homeroom.test/', { headers: { 'accept-encoding': acceptEncoding } }),
    new Response(body, { headers, status: body === null ? 304 : 200 }),
  );
}

it('compresses a page, and says so', async () => {
  const response = await answer({ 'content-type': 'text/html', etag: '"1"' }, 'gzip, br');
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(gunzipSync(bytes).toString()).toBe(html);
  expect(bytes.length).toBeLessThan(html.length / 10);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    ...{ 'content-encoding': 'gzip', vary: 'accept-encoding', etag: 'W/"1"' },
  });
});

it.each([
  ['a browser that can’t', { 'content-type': 'text/html' }, 'identity', html],
  ['what isn’t a page', { 'content-type': 'text/csv' }, 'gzip', html],
  ['a page that hasn’t changed', { 'content-type': 'text/html' }, 'gzip', null],
])('leaves as it is: %s', async (_what, headers, acceptEncoding, body) => {
  const response = await answer(headers, acceptEncoding, body);
  expect(response.headers.has('content-encoding')).toBe(false);
  expect(await response.text()).toBe(body ?? '');
});
