import { newestMigration } from '@homeroom/db/migrate';
import { expect, it } from 'vitest';
import { classroom, refusal } from '../testing/classroom.ts';
import { overviewOutput, type BrowserReport } from './contract.ts';
import { countInto, emptyBuckets, quantile } from './histogram.ts';
import { Tabs } from './tabs.ts';

const QUIET: BrowserReport = {
  ...{ tabId: '00000000-0000-4000-8000-000000000001', isLive: true, isClosing: false },
  ...{ opened: 0, failed: 0, lost: 0, recovered: 0, messages: 0, screenMs: [] },
  ...{ liveSeconds: 0, stillSeconds: 0, liveActions: 0, stillActions: 0, errors: [] },
};

it('estimates quantiles from buckets, as Prometheus does', () => {
  const buckets = emptyBuckets();
  expect(quantile(buckets, 0.5)).toBeNull();
  for (const ms of [1, 2, 3, 60, 70, 80, 90, 95, 99, 20_000]) countInto(buckets, ms);
  expect(quantile(buckets, 0.3)).toBe(5);
  expect(quantile(buckets, 0.6)).toBe(75);
  expect(quantile(buckets, 0.99)).toBe(10_000);
});

it('counts tabs that report, until they close or fall silent', () => {
  let now = 0;
  const tabs = new Tabs(() => now);
  tabs.report('a', { isLive: true, isClosing: false });
  now = 30_000;
  tabs.report('b', { isLive: false, isClosing: false });
  expect(tabs.count()).toEqual({ open: 2, live: 1 });
  now = 60_000;
  expect(tabs.count()).toEqual({ open: 1, live: 0 });
  tabs.report('b', { isLive: false, isClosing: true });
  expect(tabs.count()).toEqual({ open: 0, live: 0 });
});

it('shows administrators what browsers report, and what the portals measure', async () => {
  await using room = await classroom();
  const admin = await room.as(await room.db.a.admin());
  const nobody = await room.as(null);
  const error = { place: 'bell', message: 'x is not a function', path: '/courses' };
  await nobody.monitoring.report.mutate({
    ...QUIET,
    ...{ opened: 2, lost: 1, recovered: 1, messages: 3, screenMs: [8, 9, 700], liveSeconds: 12 },
    errors: [error, error],
  });
  await room.api.writeMonitoring();
  // Who looks is told that there is something new; before, nobody was.
  const { cursor } = await admin.monitoring.watch.mutate();
  await nobody.monitoring.report.mutate({ ...QUIET, messages: 4 });
  await room.api.writeMonitoring();
  const told = await admin.live.since.query({ topic: cursor.topic, seq: cursor.seq });
  expect(told).toMatchObject({ events: [{ event: 'monitoring.changed', data: {} }] });
  expect(cursor.seq).toBe(0);

  const live = await admin.monitoring.overview.query();
  expect(overviewOutput.safeParse(live).error).toBeUndefined();
  const { data: overview } = live;
  const total = (what: 'opened' | 'messages' | 'browserErrors') =>
    overview.minutes.reduce((sum, minute) => sum + minute[what], 0);
  expect([total('opened'), total('messages'), total('browserErrors')]).toEqual([2, 7, 2]);
  expect(overview.minutes.at(-1)).toMatchObject({ tabs: 1, liveTabs: 1 });
  expect(overview.screen).toMatchObject({ samples: 3, p50Ms: 8.75 });
  expect(overview.calls.samples).toBeGreaterThanOrEqual(2);
  expect(overview.engagement.liveSeconds).toBe(12);
  expect(overview.errors).toMatchObject([{ ...error, occurrences: 2, source: 'api' }]);
  expect(overview.jobs.map(({ name }) => name)).toContain('remind-subscriptions');
  expect(overview.queues.map(({ queue }) => queue)).toContain('unmatched_payments');
});

it('takes no report beyond all bounds, and shows the overview to administrators alone', async () => {
  await using room = await classroom();
  const { monitoring } = await room.as(await room.db.a.instructor());
  expect(await refusal(monitoring.overview.query())).toMatchObject({ appCode: 'ROLE_FORBIDDEN' });
  expect(await refusal(monitoring.watch.mutate())).toMatchObject({ appCode: 'ROLE_FORBIDDEN' });
  for (const more of [
    { messages: 1e9 },
    { screenMs: Array<number>(101).fill(1) },
    { errors: [{ place: 'x', path: '/', message: 'x'.repeat(501) }] },
  ]) {
    const refused = await refusal(monitoring.report.mutate({ ...QUIET, ...more }));
    expect(refused).toMatchObject({ appCode: 'INPUT_INVALID' });
  }
});

it('serves Prometheus, also without a database', async () => {
  await using room = await classroom();
  await refusal((await room.as(null)).identity.me.query());
  await room.db.sql`select private.run_job('tidy-monitoring')`;
  const { text, contentType } = await room.api.metrics();
  expect(contentType).toContain('text/plain');
  for (const line of [
    'homeroom_call_seconds_count{procedure="identity.me",outcome="SESSION_REQUIRED"} 1',
    'homeroom_database_up 1',
    'homeroom_job_ok{job="tidy-monitoring"} 1',
    'homeroom_queue_depth{queue="live_flushes"} ',
  ]) {
    expect(text).toContain(line);
  }
  await using cut = await classroom({ databaseUrl: 'postgres://postgres@127.0.0.1:9/nothing' });
  expect((await cut.api.metrics()).text).toContain('homeroom_database_up 0');
});

it('is ready when the database answers and has the migration that is needed', async () => {
  await using room = await classroom();
  const ready = { ok: true, database: 'up', migrations: 'current' };
  expect(await room.api.ready(undefined)).toMatchObject(ready);
  expect(await room.api.ready(await newestMigration())).toMatchObject(ready);
  expect(await room.api.ready('20991231235959')).toMatchObject({ ok: false, migrations: 'behind' });
  await using cut = await classroom({ databaseUrl: 'postgres://postgres@127.0.0.1:9/nothing' });
  expect(await cut.api.ready(undefined)).toMatchObject({ ok: false, database: 'down' });
});

it('follows a call into the database by its request id', async () => {
  await using room = await classroom();
  await room.db.sql.unsafe(`
    create function private.note_name() returns trigger language plpgsql security definer as $$
    begin
      new.message := current_setting('application_name');
      return new;
    end $$;
    create trigger note_name before insert on public.notifications
    for each row execute function private.note_name()`);
  const admin = await room.as(await room.db.a.admin());
  const { key } = await admin.serviceKeys.create.mutate({
    ...{ name: 'CRM', scopes: ['notifications:write'] },
  });
  const ann = await room.db.a.student();
  await room.api.trpc(
    new Request('http://portal.homeroom.test/api/trpc/services.notify', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${key}`,
        'x-request-id': 'proxy-0815-abc',
      },
      body: JSON.stringify({
        ...{ userId: ann.id, title: 'Hello', message: 'You', idempotencyKey: 'hello ann' },
      }),
    }),
    null,
  );
  const { data } = await (await room.as(ann)).notifications.list.query({});
  expect(data.items).toMatchObject([{ message: 'homeroom proxy-0815-abc' }]);
});
