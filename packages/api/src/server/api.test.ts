import { expect, it } from 'vitest';
import { classroom, clientOf, PORTAL, refusal, trpcBodyOf } from '../testing/classroom.ts';
import { ERROR_CODES } from './error-codes.ts';

const LIST = `${PORTAL}/api/trpc/notifications.list`;

it('answers several calls in one request, each by itself', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const paths = 'notifications.unreadCount,notifications.list,identity.me';
  const input = encodeURIComponent(JSON.stringify({ 1: { limit: 0 } }));
  const request = new Request(`${PORTAL}/api/trpc/${paths}?batch=1&input=${input}`, {
    headers: { authorization: `Bearer ${await room.db.token(ann)}` },
  });
  const response = await room.api.trpc(request, null);
  expect(response.status).toBe(207);
  const [count, list, me] = (await response.json()) as Record<string, unknown>[];
  expect(count).toMatchObject({ result: { data: { data: { unreadCount: 0 } } } });
  expect(list).toMatchObject({ error: { data: { httpStatus: 400, appCode: 'INPUT_INVALID' } } });
  expect(me).toMatchObject({ result: { data: { id: ann.id } } });
});

it('refuses a batch that is too large', async () => {
  await using room = await classroom();
  const paths = Array(51).fill('identity.me').join(',');
  const response = await room.api.trpc(
    new Request(`${PORTAL}/api/trpc/${paths}?batch=1&input={}`),
    null,
  );
  expect(response.status).toBe(400);
});

it('takes the session of the cookies, and a bearer token before it', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const bob = await room.db.a.instructor();
  const session = await room.api.verifyToken(await room.db.token(ann));
  const me = async (headers: Record<string, string>) => {
    const request = new Request(`${PORTAL}/api/trpc/identity.me`, { headers });
    return (await trpcBodyOf(await room.api.trpc(request, session))).result?.data;
  };
  expect(await me({})).toMatchObject({ id: ann.id, role: 'student' });
  const authorization = `Bearer ${await room.db.token(bob)}`;
  expect(await me({ authorization })).toMatchObject({ id: bob.id, role: 'instructor' });
});

it('gives a session with the role of the database', async () => {
  await using room = await classroom();
  const bob = await room.db.a.instructor();
  const token = await room.db.token(bob);
  const session = await room.api.verifyToken(token);
  expect(session).toEqual({
    userId: bob.id,
    role: 'instructor',
    email: bob.email,
    token,
    expiresAt: expect.any(Number) as number,
  });
  expect(session.expiresAt).toBeGreaterThan(Date.now());
});

it('refuses the token of a user who is gone or disabled', async () => {
  await using room = await classroom();
  const bob = await room.db.a.student();
  await room.db.sql`update public.users set is_active = false where id = ${bob.id}`;
  const gone = { id: '00000000-0000-4000-8000-000000000000', email: 'gone@homeroom.test' };
  expect(await refusal((await room.as(bob)).identity.me.query())).toMatchObject({
    httpStatus: 403,
    appCode: 'ACCOUNT_DISABLED',
  });
  expect(await refusal((await room.as(gone)).identity.me.query())).toMatchObject({
    httpStatus: 401,
    appCode: 'SESSION_INVALID',
  });
});

it('refuses expired and forged tokens with the code that tells them apart', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const expired = await room.db.token(ann, { expiresInSeconds: -60 });
  const forged = `${await room.db.token(ann)}x`;
  for (const [token, appCode] of [
    [expired, 'SESSION_EXPIRED'],
    [forged, 'SESSION_INVALID'],
  ] as const) {
    const refused = await refusal(clientOf(room.api, token).identity.me.query());
    expect(refused).toMatchObject({ httpStatus: 401, appCode });
  }
});

it('says how long to wait when there are too many calls, and lets others call', async () => {
  await using room = await classroom({ rateLimits: { query: 2, mutation: 2 } });
  const ann = await room.as(await room.db.a.student());
  const bob = await room.as(await room.db.a.student());
  await ann.identity.me.query();
  await ann.identity.me.query();
  const refused = await refusal(ann.identity.me.query());
  expect(refused).toMatchObject({ httpStatus: 429, appCode: 'TOO_MANY_REQUESTS' });
  expect(refused.retryAfterSeconds).toBeGreaterThanOrEqual(1);
  await bob.identity.me.query();
  await ann.notifications.unreadCount.query();
});

it('puts the wait into the Retry-After header too', async () => {
  await using room = await classroom({ rateLimits: { query: 0, mutation: 0 } });
  const authorization = `Bearer ${await room.db.token(await room.db.a.student())}`;
  const response = await room.api.trpc(new Request(LIST, { headers: { authorization } }), null);
  expect(response.status).toBe(429);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
});

it("refuses a mutation by another site's page with our cookies, and one that is not JSON", async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const id = await room.notify(ann);
  const session = await room.api.verifyToken(await room.db.token(ann));
  const post = async (headers: Record<string, string>) => {
    const request = new Request(`${PORTAL}/api/trpc/notifications.remove`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ id }),
    });
    const response = await room.api.trpc(request, session);
    return [response.status, (await trpcBodyOf(response)).error?.data.appCode];
  };
  const json = { 'content-type': 'application/json' };
  expect(await post({ ...json, 'sec-fetch-site': 'cross-site' })).toEqual([
    403,
    'ORIGIN_FORBIDDEN',
  ]);
  expect(await post({ ...json, origin: 'https://evil.test' })).toEqual([403, 'ORIGIN_FORBIDDEN']);
  expect(await post({ origin: PORTAL, 'content-type': 'text/plain' })).toEqual([
    415,
    'MEDIA_TYPE_UNSUPPORTED',
  ]);
  expect(await post({ ...json, origin: PORTAL })).toEqual([200, undefined]);
});

it('gives every answer an id, keeps the one of a proxy, and never lets it be stored', async () => {
  await using room = await classroom();
  const call = (requestId: string) =>
    room.api.trpc(new Request(LIST, { headers: { 'x-request-id': requestId } }), null);
  const answered = await call('proxy-0815-abc');
  expect(answered.headers.get('x-request-id')).toBe('proxy-0815-abc');
  expect(answered.headers.get('cache-control')).toBe('no-store');
  expect((await trpcBodyOf(answered)).error?.data.requestId).toBe('proxy-0815-abc');
  const replaced = (await call('two words')).headers.get('x-request-id');
  expect(replaced).toMatch(/^[0-9a-f-]{36}$/);
});

it('tells nothing about a fault of ours but an id to report', async () => {
  await using room = await classroom();
  const ann = await room.db.a.student();
  const client = await room.as(ann);
  await client.notifications.preferences.get.query();
  await room.db.sql`alter table public.notification_preferences rename to preferences_lost`;
  const authorization = `Bearer ${await room.db.token(ann)}`;
  const url = `${PORTAL}/api/trpc/notifications.preferences.get`;
  const response = await room.api.trpc(new Request(url, { headers: { authorization } }), null);
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(text).toContain(ERROR_CODES.INTERNAL_ERROR.sentence);
  expect(text).not.toMatch(/preferences_lost|relation|select|stack/i);
});

it('answers what does not exist with 404', async () => {
  await using room = await classroom();
  const response = await room.api.trpc(new Request(`${PORTAL}/api/trpc/no.such`), null);
  expect(response.status).toBe(404);
  expect((await trpcBodyOf(response)).error?.data.appCode).toBe('ROUTE_NOT_FOUND');
});

it('knows whether the database answers', async () => {
  await using room = await classroom();
  expect(await room.api.health()).toMatchObject({ ok: true, database: 'up' });
  await using cut = await classroom({ databaseUrl: 'postgres://postgres@127.0.0.1:9/nothing' });
  expect(await cut.api.health()).toMatchObject({ ok: false, database: 'down' });
  const ann = await cut.db.a.student();
  const refused = await refusal((await cut.as(ann)).identity.me.query());
  expect(refused).toMatchObject({ httpStatus: 503, appCode: 'UNAVAILABLE' });
});
