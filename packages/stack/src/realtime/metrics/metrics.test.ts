import { afterAll, beforeAll, expect, it } from 'vitest';
import { RawSocket } from '../testing/raw-socket.ts';
import { Realtime } from '../testing/realtime.ts';

let realtime: Realtime;
beforeAll(async () => {
  realtime = await Realtime.start(`
    create table notes (id integer primary key);
    alter table notes enable row level security;
    create policy readers on notes for select to anon using (true);
    alter publication supabase_realtime add table notes;`);
});
afterAll(() => realtime[Symbol.asyncDispose]());

const url = () => `${realtime.url}/realtime/v1/metrics`;

it('counts what comes and goes, and what is dropped', async () => {
  const before = await realtime.metrics();
  const socket = await RawSocket.open(realtime.url);
  const config = {
    broadcast: { self: true },
    presence: { enabled: true },
    postgres_changes: [{ event: '*', schema: 'public', table: 'notes' }],
  };
  await socket.join('realtime:room', { config });
  await socket.next((frame) => frame.event === 'system');
  expect((await socket.join('realtime:', {}, '2')).status).toBe('error');
  socket.sendRaw('{');
  const payload = { type: 'broadcast', event: 'e', payload: {} };
  socket.send('realtime:room', 'broadcast', payload, null);
  await socket.next((frame) => frame.event === 'broadcast');
  socket.send('realtime:room', 'presence', { event: 'track', payload: {} }, null);
  await socket.next((frame) => frame.event === 'presence_diff');
  await realtime.db.query('insert into notes values (1)');
  await socket.next((frame) => frame.event === 'postgres_changes');

  const after = await realtime.metrics();
  expect(after).toMatchObject({
    ...{ connections: 1, channels: 1, topics: 1 },
    connectionsOpened: before.connectionsOpened + 1,
    joins: before.joins + 1,
    joinsRefused: before.joinsRefused + 1,
    eventsFromClients: before.eventsFromClients + 2,
    broadcastsOut: before.broadcastsOut + 1,
    presenceDiffsOut: before.presenceDiffsOut + 1,
    changesOut: before.changesOut + 1,
    rowChecks: before.rowChecks + 1,
    drops: { ...before.drops, malformedFrame: 1 },
  });
  expect(after.bytesIn).toBeGreaterThan(100);
  expect(after.bytesOut).toBeGreaterThan(after.bytesIn);
  expect(after.logLagBytes).toBeLessThan(1_000_000);
  socket.close();
});

it('shows the same to Prometheus, with those of the process', async () => {
  const response = await fetch(url(), { headers: { authorization: 'Bearer sb_secret_test' } });
  expect(response.headers.get('content-type')).toContain('text/plain');
  const text = await response.text();
  expect(text).toMatch(/^realtime_joins_total [1-9]/m);
  expect(text).toMatch(/^realtime_drops_total\{reason="malformedFrame"\} 1$/m);
  expect(text).toMatch(/^realtime_log_lag_bytes \d/m);
  expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
  const again = await fetch(url(), { headers: { apikey: 'sb_secret_test' } });
  expect(await again.text()).toMatch(/^realtime_drops_total\{reason="malformedFrame"\} 1$/m);
});

it.each([{}, { apikey: 'sb_publishable_test' }, { authorization: 'Bearer nobody' }])(
  'shows nothing to others: %j',
  async (headers) => {
    const response = await fetch(url(), { headers: Object.entries(headers) });
    expect(response.status).toBe(401);
  },
);
