import { expect, it } from 'vitest';
import { bodyOf, classroom, PORTAL } from '../testing/classroom.ts';

const LIST = '/api/instructor/notifications';

it('lists in the exact envelope of the guide', async () => {
  await using room = await classroom();
  const ann = await room.db.a.instructor();
  const id = await room.notify(ann, { type: 'enrollment', minutesAgo: 1 });
  const response = await room.rest(ann, 'GET', LIST);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(await response.json()).toEqual({
    success: true,
    data: [
      {
        id,
        user_id: ann.id,
        type: 'enrollment',
        title: 'About enrollment',
        message: 'Something happened',
        data: {},
        read_at: null,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string,
      },
    ],
    meta: { total: 1, unread: 1, page: 1, limit: 20, pages: 1 },
  });
});

it('filters and pages as the guide says', async () => {
  await using room = await classroom();
  const ann = await room.db.a.instructor();
  for (const minutesAgo of [1, 2, 3]) await room.notify(ann, { type: 'review', minutesAgo });
  await room.notify(ann, { type: 'payment', minutesAgo: 9, read: true });
  const get = async (query: string) => bodyOf(await room.rest(ann, 'GET', `${LIST}?${query}`));

  const second = await get('type=review&read=false&limit=2&page=2');
  expect(second.data).toHaveLength(1);
  expect(second.meta).toEqual({ total: 3, unread: 3, page: 2, limit: 2, pages: 2 });
  expect((await get('read=true')).data).toMatchObject([{ type: 'payment' }]);
  expect((await get('type=&read=')).meta.total).toBe(4);
  const fiveMinutesAgo = new Date(Date.now() - 300_000).toISOString();
  expect((await get(`dateFrom=${fiveMinutesAgo}`)).meta.total).toBe(3);
  expect((await get(`dateTo=${fiveMinutesAgo}`)).meta.total).toBe(1);
  expect((await get('page=9')).data).toEqual([]);
});

it('marks as read and unread, whatever the type of the body says', async () => {
  await using room = await classroom();
  const ann = await room.db.a.instructor();
  const id = await room.notify(ann);
  const read = await room.rest(ann, 'PUT', `${LIST}/${id}`, { action: 'read' });
  expect(read.status).toBe(200);
  expect(await read.json()).toMatchObject({
    success: true,
    data: { id, user_id: ann.id, read_at: expect.any(String) as string },
  });
  const unread = await room.rest(ann, 'PUT', `${LIST}/${id}`, { action: 'unread' });
  expect(await unread.json()).toMatchObject({ success: true, data: { id, read_at: null } });
});

it('removes one, once', async () => {
  await using room = await classroom();
  const ann = await room.db.a.instructor();
  const id = await room.notify(ann);
  const removed = await room.rest(ann, 'DELETE', `${LIST}/${id}`);
  expect(await removed.json()).toEqual({ success: true, data: { id } });
  expect((await room.rest(ann, 'DELETE', `${LIST}/${id}`)).status).toBe(404);
});

it('marks all as read and says how many', async () => {
  await using room = await classroom();
  const ann = await room.db.a.instructor();
  const markAll = async () => bodyOf(await room.rest(ann, 'POST', `${LIST}/mark-all-read`));
  expect(await markAll()).toEqual({ success: true, data: { updated_count: 0 } });
  for (const minutesAgo of [1, 2]) await room.notify(ann, { type: 'review', minutesAgo });
  expect(await markAll()).toEqual({ success: true, data: { updated_count: 2 } });
  expect(await markAll()).toEqual({ success: true, data: { updated_count: 0 } });
});

it('answers 400 with the field and the reason, and changes nothing', async () => {
  await using room = await classroom();
  const ann = await room.db.a.instructor();
  const id = await room.notify(ann);
  const bad: [method: string, path: string, body: unknown, field: string][] = [
    ['GET', `${LIST}?type=gossip`, undefined, 'type'],
    ['GET', `${LIST}?read=maybe`, undefined, 'read'],
    ['GET', `${LIST}?page=0`, undefined, 'page'],
    ['GET', `${LIST}?limit=101`, undefined, 'limit'],
    ['GET', `${LIST}?limit=1e1`, undefined, 'limit'],
    ['GET', `${LIST}?dateFrom=yesterday`, undefined, 'dateFrom'],
    [
      'GET',
      `${LIST}?dateFrom=2026-02-01T00:00:00Z&dateTo=2026-01-01T00:00:00Z`,
      undefined,
      'dateTo',
    ],
    ['PUT', `${LIST}/123`, { action: 'read' }, 'id'],
    ['PUT', `${LIST}/${id}`, { action: 'burn' }, 'action'],
    ['PUT', `${LIST}/${id}`, {}, 'action'],
    ['PUT', `${LIST}/${id}`, undefined, ''],
    ['DELETE', `${LIST}/123`, undefined, 'id'],
  ];
  for (const [method, path, body, field] of bad) {
    const response = await room.rest(ann, method, path, body);
    expect(response.status, path).toBe(400);
    const { success, error } = await bodyOf(response);
    expect(success).toBe(false);
    expect(error).toMatchObject({
      code: 'INPUT_INVALID',
      what_to_do: expect.any(String) as string,
    });
    expect(error.fields, path).toEqual([{ field, reason: expect.stringMatching(/\w+/) as string }]);
  }
  const { meta } = await bodyOf(await room.rest(ann, 'GET', LIST));
  expect(meta).toMatchObject({ total: 1, unread: 1 });
});

it('answers 401 to nobody, to an expired token and to a forged one', async () => {
  await using room = await classroom();
  const expired = await room.db.token(await room.db.a.student(), { expiresInSeconds: -60 });
  const forged = `${await room.db.token(await room.db.a.student())}x`;
  expect((await room.rest(null, 'GET', LIST)).status).toBe(401);
  for (const [token, code] of [
    [expired, 'SESSION_EXPIRED'],
    [forged, 'SESSION_INVALID'],
    ['', 'SESSION_INVALID'],
  ]) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await room.api.rest(new Request(`${PORTAL}${LIST}`, { headers }), null);
    expect(response?.status).toBe(401);
    expect(await response?.json()).toMatchObject({ success: false, error: { code } });
  }
});

it("answers 404 for another's row, and leaves it alone", async () => {
  await using room = await classroom();
  const ann = await room.db.a.instructor();
  const bob = await room.db.a.instructor();
  const id = await room.notify(ann);
  const put = await room.rest(bob, 'PUT', `${LIST}/${id}`, { action: 'read' });
  const remove = await room.rest(bob, 'DELETE', `${LIST}/${id}`);
  expect([put.status, remove.status]).toEqual([404, 404]);
  expect(await put.json()).toMatchObject({ error: { code: 'NOTIFICATION_NOT_FOUND' } });
  const { data } = await bodyOf(await room.rest(ann, 'GET', LIST));
  expect(data).toMatchObject([{ id, read_at: null }]);
});

it('answers 429 with the wait', async () => {
  await using room = await classroom({ rateLimits: { query: 2, mutation: 2 } });
  const ann = await room.db.a.instructor();
  const id = await room.notify(ann);
  const put = () => room.rest(ann, 'PUT', `${LIST}/${id}`, { action: 'read' });
  expect([(await put()).status, (await put()).status]).toEqual([200, 200]);
  const refused = await put();
  expect(refused.status).toBe(429);
  const { error } = await bodyOf(refused);
  expect(error).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  expect(error.retry_after_seconds).toBeGreaterThanOrEqual(1);
  expect(refused.headers.get('retry-after')).toBe(String(error.retry_after_seconds));
});

it('answers 405 with what is allowed, and leaves other paths alone', async () => {
  await using room = await classroom();
  const response = await room.rest(await room.db.a.instructor(), 'PATCH', LIST);
  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('GET');
  const other = new Request(`${PORTAL}/api/instructor/notifications-of-others`);
  expect(await room.api.rest(other, null)).toBeNull();
});

it("refuses a write by another site's page with our cookies", async () => {
  await using room = await classroom();
  const ann = await room.db.a.instructor();
  const id = await room.notify(ann);
  const session = await room.api.verifyToken(await room.db.token(ann));
  const removeFrom = async (site: string) => {
    const headers = { 'sec-fetch-site': site };
    const request = new Request(`${PORTAL}${LIST}/${id}`, { method: 'DELETE', headers });
    return (await room.api.rest(request, session))?.status;
  };
  expect(await removeFrom('cross-site')).toBe(403);
  expect(await removeFrom('same-origin')).toBe(200);
});
