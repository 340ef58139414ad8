import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { liveQuery } from '../live-query/live-query.ts';
import { FakePage } from '../testing/fake-page.ts';
import { until, watch } from '../testing/stage.ts';
import { UnrulyServer } from '../testing/unruly-server.ts';
import type { LiveEvent } from './api.ts';
import { ClockOffset } from './clock-offset.ts';
import { systemClock as clock } from './clock.ts';
import { connectionOver } from './connection.ts';
import { Socket } from './socket.ts';
import { TokenKeeper } from './token.ts';
import { notModelled } from '../testing/not-modelled.ts';

const TOPIC = 'user:ada';
const isLive = ({ status }: { status: string }) => status === 'live';
const isStopped = ({ status }: { status: string }) => status === 'stopped';

/** Phoenix's client itself, on a socket to a server that misbehaves when told. */
describe('a tab with a socket', () => {
  let server: UnrulyServer;
  let events: LiveEvent[];
  const close: (() => void)[] = [];

  beforeEach(async () => {
    server = await new UnrulyServer().listen();
    events = [];
  });
  afterEach(async () => {
    for (const connection of close.splice(0)) connection();
    await server.close();
  });

  /** Commits an event, and broadcasts it. */
  function publish(): void {
    const event = { seq: events.length + 1, event: 'thing.happened', at: Date.now(), data: {} };
    events.push(event);
    server.tell(TOPIC, event);
  }

  /** A tab whose query's data is the numbers of its events. */
  function tab({ tokenMs = 3_600_000 } = {}) {
    const page = new FakePage();
    const offset = new ClockOffset();
    const log = () => undefined;
    let asked = 0;
    const getToken = () => {
      const now = Date.now();
      return Promise.resolve({ token: `token ${(asked += 1)}`, expiresAt: now + tokenMs, now });
    };
    const tokens = new TokenKeeper({ clock, offset, log, getToken });
    const url = `http://127.0.0.1:${server.port}`;
    const since = ({ seq: after }: { seq: number }) => {
      const missed = events.filter(({ seq }) => seq > after);
      return Promise.resolve({
        status: 'events' as const,
        events: missed,
        head: events.length,
        epoch: 0,
      });
    };
    const connection = connectionOver({
      userId: 'ada',
      api: {
        ...notModelled,
        live: { epoch: { query: () => Promise.resolve({ epoch: 0 }) }, since: { query: since } },
      },
      transport: new Socket({ url, apikey: 'sb_publishable_test', tokens, clock, log }),
      page,
      clock,
      offset,
      tokens,
    });
    close.push(() => connection.close());
    const query = liveQuery<readonly number[]>({
      connection,
      topic: TOPIC,
      load: () => Promise.resolve({ data: [], cursor: { topic: TOPIC, seq: 0 } }),
      apply: (seqs, { seq }) => [...seqs, seq],
    });
    return { connection, page, query, shown: watch(query) };
  }

  it('joins with a token, and applies what comes', async () => {
    const { query } = tab();
    await until(query, isLive);
    expect(server.joins).toEqual([{ topic: TOPIC, token: 'token 1' }]);
    publish();
    expect(await until(query, ({ data }) => data?.length === 1)).toMatchObject({ data: [1] });
  });

  it('comes back after a cut with all that it missed, each once and in order', async () => {
    const { query, connection } = tab();
    await until(query, isLive);
    publish();
    server.cut();
    publish();
    publish();
    await until(query, ({ data, status }) => status === 'live' && data?.length === 3);
    publish();
    const { data } = await until(query, ({ data: seqs }) => seqs?.length === 4);
    expect(data).toEqual([1, 2, 3, 4]);
    expect(connection.metrics().reconnects).toBe(1);
  });

  it('comes back when the server closes its channel, which Phoenix’s client does not', async () => {
    const { query } = tab();
    await until(query, isLive);
    server.closeChannel(TOPIC, 'Too many messages per second');
    await until(query, ({ status }) => status === 'connecting');
    await until(query, isLive);
    expect(server.joins).toHaveLength(2);
  });

  it('comes back with another token when its token has expired', async () => {
    const { query } = tab();
    await until(query, isLive);
    server.closeChannel(TOPIC, 'Token has expired 3 seconds ago');
    await until(query, ({ status }) => status === 'connecting');
    await until(query, isLive);
    expect(server.joins.map(({ token }) => token)).toEqual(['token 1', 'token 2']);
  });

  it('stops for good when it is refused', async () => {
    server.refusal = `Unauthorized: You do not have permissions to read from this Channel topic: ${TOPIC}`;
    const { query } = tab();
    const { error } = await until(query, isStopped);
    expect(error?.code).toBe('TOPIC_FORBIDDEN');
    expect(server.joins).toHaveLength(1);
  });

  it('stops for good when the right is taken away', async () => {
    const { query } = tab();
    await until(query, isLive);
    server.closeChannel(
      TOPIC,
      `You no longer have permission to read from this Channel topic: ${TOPIC}`,
    );
    expect(await until(query, isStopped)).toMatchObject({ data: [] });
    expect(server.joins).toHaveLength(1);
  });

  it('sends a new token on the open channel before the old one expires', async () => {
    const { query, shown } = tab({ tokenMs: 1_500 });
    await until(query, isLive);
    await expect.poll(() => server.tokens, { timeout: 5_000 }).toContain('token 2');
    expect(server.joins).toHaveLength(1);
    expect(shown.now.status).toBe('live');
  });

  it('replaces a dead socket after a wake, without waiting for a heartbeat', async () => {
    const { query, page } = tab();
    await until(query, isLive);
    server.playDead();
    publish();
    page.send('woke');
    await until(query, ({ data }) => data?.length === 1); // from the API, at once
    await expect.poll(() => server.joins.length, { timeout: 5_000 }).toBe(2);
    await until(query, isLive);
    expect(server.joins[1]).toEqual({ topic: TOPIC, token: 'token 2' });
  });
});
