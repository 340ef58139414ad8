import { schema } from '@homeroom/db';
import { expect, it } from 'vitest';
import { classroom, clientOf, refusal, type Classroom } from '../testing/classroom.ts';
import { SERVICE_SCOPES, type ServiceScope } from './kinds-contract.ts';

/** A key with these scopes, made by an administrator, and a client that uses it. */
async function serviceWith(room: Classroom, scopes: ServiceScope[], callsPerMinute = 600) {
  const admin = await room.as(await room.db.a.admin());
  const made = await admin.serviceKeys.create.mutate({ name: 'Billing', scopes, callsPerMinute });
  return { ...made, admin, service: clientOf(room.api, made.key) };
}

it('knows the scopes that the database knows', () => {
  // Drizzle doesn't type what an array is of.
  const { scopes } = schema.serviceKeys as unknown as {
    scopes: { baseColumn: { enumValues: string[] } };
  };
  expect(scopes.baseColumn.enumValues).toEqual(SERVICE_SCOPES);
});

it('does what its scopes allow, and says of everything else which one is missing', async () => {
  await using room = await classroom();
  const course = await room.db.a.course({ priceCents: 4900 });
  const { lessonIds } = await room.db.a.module(course, 1);
  const ann = await room.db.a.student();
  const { service, admin, id } = await serviceWith(room, ['enrollments:write', 'progress:write']);
  const userId = ann.id;

  const enrolled = await service.services.enroll.mutate({ userId, courseId: course.id });
  expect(enrolled).toMatchObject({ userId, status: 'active', isNew: true });
  expect(await service.services.enroll.mutate({ userId, courseId: course.id })).toEqual({
    ...enrolled,
    isNew: false,
  });
  const done = await service.services.completeLesson.mutate({
    userId,
    lessonId: lessonIds[0] ?? '',
  });
  expect(done).toMatchObject({ isCourseCompleted: true });

  const calls: [ServiceScope, () => Promise<unknown>][] = [
    ['users:read', () => service.services.users.query({})],
    [
      'notifications:write',
      () =>
        service.services.notify.mutate({
          ...{ userId, title: 'Hello', message: 'You', idempotencyKey: 'hello ann' },
        }),
    ],
    [
      'subscriptions:write',
      () =>
        service.services.extendSubscription.mutate({
          ...{ userId, plan: 'pro', until: '2030-01-01T00:00:00Z' },
        }),
    ],
    [
      'payments:write',
      () =>
        service.services.recordPayment.mutate({
          ...{ userId, courseId: course.id, reference: 'r', amountCents: 1, currency: 'EUR' },
          ...{ status: 'succeeded', idempotencyKey: 'payment 1' },
        }),
    ],
  ];
  for (const [missingScope, call] of calls) {
    expect(await refusal(call())).toMatchObject({
      httpStatus: 403,
      appCode: 'SCOPE_MISSING',
      missingScope,
    });
  }
  const people = service.enrollment.enroll.mutate({ courseId: course.id });
  expect(await refusal(people)).toMatchObject({ appCode: 'SERVICE_KEY_FORBIDDEN' });
  expect(await refusal(service.serviceKeys.list.query({}))).toMatchObject({ httpStatus: 403 });

  const { items } = await admin.serviceKeys.log.query({ keyId: id });
  expect(items.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
    ...['recordPayment', 'extendSubscription', 'notify', 'users'].map(
      () => expect.stringMatching(/^services\.\w+ SCOPE_MISSING$/) as string,
    ),
    'services.completeLesson ok',
    'services.enroll ok',
    'services.enroll ok',
    'created ok',
  ]);
  expect(items.at(-2)).toMatchObject({ subjectId: ann.id, actor: null });
  const [key] = (await admin.serviceKeys.list.query({})).items;
  expect(key).toMatchObject({ id, lastUsedAt: expect.any(String) as string, revokedAt: null });
});

it('tells, extends and records once, however often it is asked', async () => {
  await using room = await classroom();
  const course = await room.db.a.course({ priceCents: 4900 });
  const ann = await room.db.a.student();
  const { service } = await serviceWith(room, [
    'notifications:write',
    'payments:write',
    'subscriptions:write',
    'users:read',
  ]);
  const userId = ann.id;
  const notice = {
    ...{ userId, title: 'Invoice', message: 'Here it is', idempotencyKey: 'invoice 17' },
    courseId: course.id,
  };
  const first = await service.services.notify.mutate(notice);
  expect(await service.services.notify.mutate(notice)).toEqual(first);
  const { notifications } = await room.as(ann);
  expect((await notifications.list.query({})).data.items).toMatchObject([
    { id: first.id, title: 'Invoice', courseId: course.id },
  ]);

  const until = '2030-01-01T00:00:00.000000Z';
  const plan = { userId, plan: 'pro', until };
  const extended = await service.services.extendSubscription.mutate(plan);
  expect(extended).toMatchObject({ expiresAt: until, status: 'active' });
  const shorter = { ...plan, until: '2029-01-01T00:00:00Z' };
  expect(await service.services.extendSubscription.mutate(shorter)).toEqual(extended);

  const payment = {
    ...{ userId, courseId: course.id, reference: 'bank 1', amountCents: 4900, currency: 'eur' },
    ...{ status: 'succeeded' as const, idempotencyKey: 'bank 1 paid' },
  };
  const paid = () => service.services.recordPayment.mutate(payment);
  expect(await paid()).toEqual({ outcome: 'enrolled' });
  expect(await paid()).toEqual({ outcome: 'repeated' });

  const byAddress = await service.services.users.query({ email: ann.email.toUpperCase() });
  expect(byAddress.items).toMatchObject([{ id: ann.id, role: 'student' }]);
  const page = await service.services.users.query({ limit: 1 });
  const next = await service.services.users.query({ limit: 5, cursor: page.nextCursor ?? '' });
  expect(next.items.map(({ id }) => id)).toContain(ann.id);
  expect(
    await refusal(service.services.enroll.mutate({ ...plan, courseId: course.id })),
  ).toMatchObject({
    missingScope: 'enrollments:write',
  });
});

it('refuses keys that are not known, revoked or expired, each by its code', async () => {
  await using room = await classroom();
  const { service, admin, id, key } = await serviceWith(room, ['users:read']);
  expect(key).toMatch(/^hr_[\w-]{43}$/);
  await service.services.users.query({});
  await room.db.sql`
    update private.service_keys
    set created_at = now() - interval '2 days', expires_at = now() - interval '1 day'`;
  const expired = await refusal(service.services.users.query({}));
  expect(expired).toMatchObject({ httpStatus: 401, appCode: 'SERVICE_KEY_EXPIRED' });
  await admin.serviceKeys.revoke.mutate({ id });
  expect(await refusal(admin.serviceKeys.revoke.mutate({ id }))).toMatchObject({
    appCode: 'SERVICE_KEY_NOT_FOUND',
  });
  const revoked = await refusal(service.services.users.query({}));
  expect(revoked).toMatchObject({ httpStatus: 401, appCode: 'SERVICE_KEY_REVOKED' });
  for (const wrong of [
    `${key.slice(0, -1)}`,
    key.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')),
    'hr_',
  ]) {
    const unknown = await refusal(clientOf(room.api, wrong).services.users.query({}));
    expect(unknown).toMatchObject({ httpStatus: 401, appCode: 'SERVICE_KEY_INVALID' });
  }
  const nobody = await refusal((await room.as(null)).services.users.query({}));
  expect(nobody).toMatchObject({ httpStatus: 401, appCode: 'SERVICE_KEY_REQUIRED' });
});

it('counts the calls of a key together, by its own rate', async () => {
  await using room = await classroom();
  const { service } = await serviceWith(room, ['users:read'], 2);
  await service.services.users.query({});
  await service.services.users.query({});
  const refused = await refusal(service.services.users.query({}));
  expect(refused).toMatchObject({ appCode: 'TOO_MANY_REQUESTS' });
  expect(refused.retryAfterSeconds).toBeGreaterThanOrEqual(1);
});

it('lets administrators alone make, see and revoke keys', async () => {
  await using room = await classroom();
  const { id } = await serviceWith(room, ['users:read']);
  for (const person of [await room.db.a.instructor(), await room.db.a.student()]) {
    const { serviceKeys } = await room.as(person);
    const attempts = [
      () => serviceKeys.list.query({}),
      () => serviceKeys.log.query({}),
      () => serviceKeys.create.mutate({ name: 'Mine', scopes: ['users:read'] }),
      () => serviceKeys.revoke.mutate({ id }),
    ];
    for (const attempt of attempts) {
      expect(await refusal(attempt())).toMatchObject({
        httpStatus: 403,
        appCode: 'ROLE_FORBIDDEN',
      });
    }
  }
});
