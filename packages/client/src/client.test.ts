import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';
import { expect, it } from 'vitest';
import { importLearners } from './example/course-import.ts';
import { adviceFor, apiErrorOf, createServiceClient } from './index.ts';
import { serve } from './testing/serve.ts';

it('calls as the bearer of its key, and sends calls of one moment together', async () => {
  await using served = await serve();
  const ann = await served.db.a.student();
  const client = createServiceClient({ url: served.url, key: await served.db.token(ann) });
  const [me, unread] = await Promise.all([
    client.identity.me.query(),
    client.notifications.unreadCount.query(),
  ]);
  expect(me).toMatchObject({ id: ann.id });
  expect(unread.data).toEqual({ unreadCount: 0 });
  expect(served.requests()).toBe(1);
});

it('asks for the key that is good now with every request', async () => {
  await using served = await serve();
  const ann = await served.db.a.student();
  const keys = [await served.db.token(ann, { expiresInSeconds: -60 }), await served.db.token(ann)];
  const client = createServiceClient({ url: served.url, key: () => keys.shift() ?? '' });
  await expect(client.identity.me.query()).rejects.toSatisfy(
    (error) => apiErrorOf(error)?.appCode === 'SESSION_EXPIRED',
  );
  expect(await client.identity.me.query()).toMatchObject({ id: ann.id });
});

it('tells what the API said of an error, and nothing of others', async () => {
  await using served = await serve({ query: 1, mutation: 1 });
  const key = await served.db.token(await served.db.a.student());
  const client = createServiceClient({ url: served.url, key, retriesMax: 0 });
  await client.identity.me.query();
  const refused = await client.identity.me.query().catch(apiErrorOf);
  expect(refused).toMatchObject({
    appCode: 'TOO_MANY_REQUESTS',
    retryAfterSeconds: expect.any(Number) as number,
  });

  const nowhere = createServiceClient({ url: 'http://127.0.0.1:9', key, retriesMax: 0 });
  expect(await nowhere.identity.me.query().catch(apiErrorOf)).toBeNull();
  expect(apiErrorOf(new Error('mine'))).toBeNull();
});

it('repeats what was cut off, and nothing happens twice', async () => {
  await using served = await serve();
  const ann = await served.db.a.student();
  const key = await served.serviceKey(['notifications:write', 'users:read']);
  const { services } = createServiceClient({ url: served.url, key, retryWaitMs: 1 });
  served.fail('cut', 'cut');
  const told = await services.notify.mutate({ userId: ann.id, title: 'Once', message: 'Only' });
  expect(served.requests()).toBe(3);
  const rows = await served.db.sql`select id from notifications`;
  expect(rows).toMatchObject([{ id: told.id }]);
  served.fail('cut');
  expect((await services.users.query({ ids: [ann.id] })).items).toHaveLength(1);
});

it('never repeats a call that isn’t known to be repeatable, nor one that was refused', async () => {
  await using served = await serve();
  const key = await served.db.token(await served.db.a.student());
  const client = createServiceClient({ url: served.url, key, retryWaitMs: 1 });
  served.fail('cut');
  const change = client.identity.updateMe.mutate({ firstName: 'Zoe' });
  expect(await change.catch(adviceFor)).toContain('could not be reached');
  expect(served.requests()).toBe(1);
  expect(await client.services.users.query({}).catch(adviceFor)).toContain('no service key came');
  expect(served.requests()).toBe(2);
});

it('gives up when its time is over, or when the caller does', async () => {
  await using served = await serve();
  const key = await served.db.token(await served.db.a.student());
  const { identity } = createServiceClient({ url: served.url, key, timeoutMs: 50, retriesMax: 0 });
  served.fail('silence');
  expect(await identity.me.query().catch(adviceFor)).toContain('timeoutMs');
  const controller = new AbortController();
  served.fail('silence');
  const patient = createServiceClient({ url: served.url, key });
  const call = patient.identity.me.query(undefined, { signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toSatisfy((error) => apiErrorOf(error) === null);
});

it('runs the example of the README with just its scopes, and is refused everything else', async () => {
  await using served = await serve();
  const course = await served.db.a.course({ priceCents: 4900 });
  const { lessonIds } = await served.db.a.module(course, 3);
  const ann = await served.db.a.student();
  const key = await served.serviceKey([
    ...(['users:read', 'enrollments:write', 'progress:write', 'notifications:write'] as const),
  ]);
  const at = { url: served.url, key };
  const learners = [
    { email: ann.email, lessonIds },
    { email: 'nobody@example.test', lessonIds: [] },
  ];
  for (let run = 0; run < 2; run += 1) {
    expect(await importLearners(at, course.id, learners)).toMatchObject({ imported: 1 });
  }
  const [row] = await served.db.sql`
    select
      (select status from enrollments) as status,
      (select count(*)::integer from lesson_completions) as lessons,
      (select count(*)::integer from notifications where title = 'Welcome') as welcomes`;
  expect(row).toEqual({ status: 'completed', lessons: 3, welcomes: 1 });

  const client = createServiceClient(at);
  const userId = ann.id;
  const refused = await Promise.all([
    client.services.extendSubscription
      .mutate({ userId, plan: 'pro', until: '2030-01-01T00:00:00Z' })
      .catch(adviceFor),
    client.services.recordPayment
      .mutate({
        ...{ userId, courseId: course.id, reference: 'r', amountCents: 1, currency: 'EUR' },
        status: 'succeeded',
      })
      .catch(adviceFor),
    client.identity.me.query().catch(adviceFor),
    client.serviceKeys.list.query({}).catch(adviceFor),
    client.monitoring.overview.query().catch(adviceFor),
  ]);
  expect(refused).toEqual([
    expect.stringContaining('lacks the scope subscriptions:write') as string,
    expect.stringContaining('lacks the scope payments:write') as string,
    ...Array<unknown>(3).fill(expect.stringContaining('a service key cannot call it')),
  ]);
  const source = await readFile(new URL('example/course-import.ts', import.meta.url), 'utf8');
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(source.replace("'../index.ts'", "'@homeroom/client'"));
});

it('is tRPC and fetch only: no module of Node’s, and nothing of the server', async () => {
  const entry = fileURLToPath(new URL('index.ts', import.meta.url));
  const built = (await build({
    ...{ configFile: false, logLevel: 'silent' },
    build: { write: false, lib: { entry, formats: ['es'] }, rollupOptions: { external: /^node:/ } },
  })) as Rolldown.RolldownOutput[];
  const [chunk] = built[0]?.output ?? [];
  expect(chunk?.imports).toEqual([]);
  const sources = chunk?.moduleIds.map(
    (id) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(id)?.[1] ?? 'ours',
  );
  expect([...new Set(sources)].sort()).toEqual(['@trpc/client', '@trpc/server', 'ours']);
  expect(chunk?.code).not.toMatch(/\bprocess\.|\bBuffer\b|\brequire\(/);
});
