import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawSocket } from '../testing/raw-socket.ts';
import { Inbox, Realtime, subscribed } from '../testing/realtime.ts';

const ANN = '11111111-1111-1111-1111-111111111111';
const BOB = '22222222-2222-2222-2222-222222222222';
const POLICIES = `
  create table notes (id integer primary key);
  alter publication supabase_realtime add table notes;
  create policy own_topic on realtime.messages for select to authenticated
    using (realtime.topic() = 'user:' || (select auth.uid())::text);
  create policy own_live_topic on realtime.messages for all to authenticated
    using (realtime.topic() = 'user:' || (select auth.uid())::text || ':live')
    with check (realtime.topic() = 'user:' || (select auth.uid())::text || ':live');`;

let realtime: Realtime;
beforeAll(async () => {
  realtime = await Realtime.start(POLICIES, { sweepIntervalMs: 50 });
});
afterAll(() => realtime[Symbol.asyncDispose]());

describe('joining', () => {
  it('lets a user into a private channel that the policies allow', async () => {
    const ann = await realtime.client(ANN);
    const channel = ann.channel(`user:${ANN}`, { config: { private: true } });
    await expect(subscribed(channel)).resolves.toBe(channel);
  });

  it('keeps out another user, and whoever has no token', async () => {
    for (const user of [BOB, undefined]) {
      const client = await realtime.client(user);
      const channel = client.channel(`user:${ANN}`, { config: { private: true } });
      await expect(subscribed(channel)).rejects.toThrow(
        `Unauthorized: You do not have permissions to read from this Channel topic: user:${ANN}`,
      );
    }
  });

  it('answers each of many who ask at the same time, also when a policy fails for some', async () => {
    const join = async (topic: string, sub: string) => {
      const socket = await RawSocket.open(realtime.url);
      const access_token = await realtime.token(sub);
      const reply = await socket.join(`realtime:${topic}`, {
        config: { private: true },
        access_token,
      });
      socket.close();
      return reply.status === 'ok' ? 'ok' : (reply.response as { reason: string }).reason;
    };
    const askers = Array.from({ length: 40 }, () => [
      join(`user:${ANN}`, ANN),
      join(`user:${ANN}`, BOB),
      join(`user:${ANN}`, 'no uuid'),
      join('user:\u0000', ANN),
    ]);
    for (const answers of askers) {
      expect(await Promise.all(answers)).toEqual([
        'ok',
        expect.stringMatching(/^Unauthorized: /),
        'Realtime was unable to connect to the project database',
        'Realtime was unable to connect to the project database',
      ]);
    }
  });

  it.each([
    [
      'expired',
      () => realtime.token(ANN, -10),
      /^InvalidJWTToken: Token has expired 1\d seconds ago$/,
    ],
    ['signed by another', () => realtime.token(ANN, 60, 'x'.repeat(40)), /^JwtSignatureError: /],
    ['malformed', () => Promise.resolve('a.b.c'), /^MalformedJWT: /],
  ])('refuses a token that is %s', async (_, token, reason) => {
    const socket = await RawSocket.open(realtime.url);
    const reply = await socket.join('realtime:x', { config: {}, access_token: await token() });
    expect(reply).toMatchObject({
      status: 'error',
      response: { reason: expect.stringMatching(reason) as string },
    });
    socket.close();
  });

  it('answers a second join of a topic first, then closes the first', async () => {
    const socket = await RawSocket.open(realtime.url);
    await socket.join('realtime:room', { config: {} }, '1');
    const reply = await socket.join('realtime:room', { config: {} }, '2');
    expect(reply.status).toBe('ok');
    expect(await socket.next()).toMatchObject({ event: 'phx_close', joinRef: '1', ref: '1' });
    socket.send(
      'realtime:room',
      'broadcast',
      { type: 'broadcast', event: 'e', payload: {} },
      '3',
      '1',
    );
    expect(await socket.settled()).toEqual([]);
    socket.close();
  });

  it('echoes postgres_changes bindings as they came, with numbers for ids', async () => {
    const socket = await RawSocket.open(realtime.url);
    const bindings = [
      { event: '*', schema: 'public', extra: 1 },
      null,
      { event: 'INSERT', table: 'x' },
    ];
    const reply = await socket.join('realtime:c', { config: { postgres_changes: bindings } });
    expect(reply.response).toEqual({
      postgres_changes: [
        { event: '*', schema: 'public', extra: 1, id: expect.any(Number) as number },
        { event: 'INSERT', table: 'x', id: expect.any(Number) as number },
      ],
    });
    socket.close();
  });

  it('refuses a topic without a name', async () => {
    const socket = await RawSocket.open(realtime.url);
    const reply = await socket.join('realtime:');
    expect(reply.response).toEqual({ reason: 'TopicNameRequired: You must provide a topic name' });
    socket.close();
  });
});

describe('leaving', () => {
  it('is answered, then closed; what follows meets an unmatched topic', async () => {
    const socket = await RawSocket.open(realtime.url);
    await socket.join('realtime:room');
    socket.send('realtime:room', 'phx_leave', {}, '2');
    expect(await socket.next()).toMatchObject({
      event: 'phx_reply',
      ref: '2',
      payload: { status: 'ok' },
    });
    expect(await socket.next()).toMatchObject({ event: 'phx_close', ref: '1', joinRef: '1' });
    socket.send('realtime:room', 'broadcast', {}, '3');
    expect(await socket.next()).toMatchObject({
      joinRef: null,
      ref: '3',
      payload: { status: 'error', response: { reason: 'unmatched topic' } },
    });
    socket.send('realtime:room', 'phx_leave', {}, '4');
    expect(await socket.next()).toMatchObject({ ref: '4', payload: { status: 'ok' } });
    socket.close();
  });
});

describe('the token of an open channel', () => {
  const join = async (seconds: number): Promise<RawSocket> => {
    const socket = await RawSocket.open(realtime.url);
    const access_token = await realtime.token(ANN, seconds);
    await socket.join(`realtime:user:${ANN}`, { config: { private: true }, access_token });
    return socket;
  };

  it('ends the channel when it expires', async () => {
    const socket = await join(2);
    const system = await socket.next((frame) => frame.event === 'system');
    expect(system.payload).toMatchObject({
      extension: 'system',
      status: 'error',
      message: expect.stringMatching(/^Token has expired \d+ seconds ago$/) as string,
      channel: `user:${ANN}`,
    });
    expect((await socket.next()).event).toBe('phx_close');
    socket.close();
  });

  it('may be replaced before that, without an answer', async () => {
    const socket = await join(2);
    const access_token = await realtime.token(ANN, 3600);
    socket.send(`realtime:user:${ANN}`, 'access_token', { access_token }, '2');
    expect(await socket.settled()).toEqual([]);
    await realtime.send(`user:${ANN}`, 'still here', { n: 1 });
    expect((await socket.next()).binary).toBeDefined();
    socket.close();
  });

  it('ends the channel when it is replaced by one that may not read', async () => {
    const socket = await join(3600);
    const access_token = await realtime.token(BOB, 3600);
    socket.send(`realtime:user:${ANN}`, 'access_token', { access_token }, '2');
    const system = await socket.next((frame) => frame.event === 'system');
    expect(system.payload).toMatchObject({
      message: `You do not have permissions to read from this Channel topic: user:${ANN}`,
    });
    expect((await socket.next()).event).toBe('phx_close');
    socket.close();
  });
});

describe('broadcast', () => {
  it('reaches everybody else, and the sender when asked to', async () => {
    const [ann, bob] = [await realtime.client(ANN), await realtime.client(BOB)];
    const sender = ann.channel('room', { config: { broadcast: { self: true, ack: true } } });
    const quiet = bob.channel('room', { config: { broadcast: { ack: true } } });
    const [own, others] = [new Inbox<unknown>(), new Inbox<unknown>()];
    sender.on('broadcast', { event: '*' }, own.put);
    quiet.on('broadcast', { event: '*' }, others.put);
    await Promise.all([subscribed(sender), subscribed(quiet)]);
    expect(
      await sender.send({ type: 'broadcast', event: 'a', payload: { text: 'héllo 🎓' } }),
    ).toBe('ok');
    const expected = { type: 'broadcast', event: 'a', payload: { text: 'héllo 🎓' } };
    expect(await own.find()).toEqual(expected);
    expect(await others.find()).toEqual(expected);
    await quiet.send({ type: 'broadcast', event: 'b', payload: {} });
    await sender.send({ type: 'broadcast', event: 'c', payload: {} });
    await others.count(2);
    expect(others.all).toMatchObject([{ event: 'a' }, { event: 'c' }]);
    expect((await own.count(3)).map((message) => (message as { event: string }).event)).toEqual([
      'a',
      'b',
      'c',
    ]);
  });

  it('speaks to both serializer versions on one topic, and binary to the newer one', async () => {
    const [sender, old, recent] = [
      await realtime.client(ANN),
      await realtime.client(BOB, { vsn: '1.0.0' }),
      await realtime.client(BOB),
    ];
    const [toOld, toRecent] = [
      new Inbox<{ event: string; payload: unknown }>(),
      new Inbox<{ payload: unknown }>(),
    ];
    await subscribed(old.channel('mixed').on('broadcast', { event: '*' }, toOld.put));
    await subscribed(recent.channel('mixed').on('broadcast', { event: '*' }, toRecent.put));
    const channel = await subscribed(
      sender.channel('mixed', { config: { broadcast: { ack: true } } }),
    );
    await channel.send({
      type: 'broadcast',
      event: 'bytes',
      payload: new Uint8Array([1, 2, 255]).buffer,
    });
    await channel.send({ type: 'broadcast', event: 'json', payload: { n: 1 } });
    await toRecent.count(2);
    expect(new Uint8Array(toRecent.all[0]?.payload as ArrayBuffer)).toEqual(
      new Uint8Array([1, 2, 255]),
    );
    expect(await toOld.find()).toEqual({ type: 'broadcast', event: 'json', payload: { n: 1 } });
    expect(toOld.all).toHaveLength(1);
  });

  it('from the database reaches private listeners only, once and in order', async () => {
    const [ann, anyone] = [await realtime.client(ANN), await realtime.client(BOB)];
    const [heard, overheard] = [
      new Inbox<{ event: string; meta?: unknown }>(),
      new Inbox<unknown>(),
    ];
    await subscribed(
      ann
        .channel(`user:${ANN}`, { config: { private: true } })
        .on('broadcast', { event: '*' }, heard.put),
    );
    await subscribed(anyone.channel(`user:${ANN}`).on('broadcast', { event: '*' }, overheard.put));
    for (const n of [1, 2, 3]) await realtime.send(`user:${ANN}`, `event ${n}`, { n });
    await realtime.send(`user:${ANN}`, 'for all', {}, false);
    await overheard.find();
    await heard.count(3);
    expect(heard.all.map(({ event }) => event)).toEqual(['event 1', 'event 2', 'event 3']);
    expect(heard.all[0]).toMatchObject({
      payload: { n: 1 },
      meta: { id: expect.any(String) as string },
    });
    expect(overheard.all).toHaveLength(1);
  });

  it('is refused in silence to a client without the right to write', async () => {
    const ann = await realtime.client(ANN);
    const heard = new Inbox<{ event: string }>();
    const config = { private: true, broadcast: { self: true } };
    const channel = ann
      .channel(`user:${ANN}`, { config })
      .on('broadcast', { event: '*' }, heard.put);
    await subscribed(channel);
    await channel.send({ type: 'broadcast', event: 'forged', payload: {} });
    await realtime.send(`user:${ANN}`, 'genuine', {});
    await heard.find();
    expect(heard.all.map(({ event }) => event)).toEqual(['genuine']);
  });

  it('is open to a client whom the policies let write', async () => {
    const ann = await realtime.client(ANN);
    const heard = new Inbox<{ event: string }>();
    const config = { private: true, broadcast: { self: true, ack: true } };
    const channel = ann
      .channel(`user:${ANN}:live`, { config })
      .on('broadcast', { event: '*' }, heard.put);
    await subscribed(channel);
    expect(await channel.send({ type: 'broadcast', event: 'typing', payload: {} })).toBe('ok');
    expect((await heard.find()).event).toBe('typing');
  });

  it('comes over HTTP too: in batches, denied ones dropped, and one by one', async () => {
    const ann = await realtime.client(ANN);
    const heard = new Inbox<{ event: string }>();
    await subscribed(
      ann
        .channel(`user:${ANN}`, { config: { private: true } })
        .on('broadcast', { event: '*' }, heard.put),
    );
    const post = (path: string, key: string, body: object): Promise<Response> =>
      fetch(`${realtime.url}/realtime/v1/api/broadcast${path}`, {
        method: 'POST',
        headers: { apikey: key, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const batch = (event: string): object => ({
      messages: [{ topic: `user:${ANN}`, event, payload: { a: 1 }, private: true }],
    });
    expect((await post('', 'sb_publishable_test', batch('forged'))).status).toBe(202);
    expect((await post('', 'sb_secret_test', batch('batch'))).status).toBe(202);
    const one = `/${encodeURIComponent(`user:${ANN}`)}/events/one?private=true`;
    expect((await post(one, 'sb_publishable_test', {})).status).toBe(403);
    expect((await post(one, 'sb_secret_test', { b: 2 })).status).toBe(202);
    expect((await post('', 'nobody', batch('x'))).status).toBe(401);
    expect((await post('', 'sb_secret_test', { messages: [{}] })).status).toBe(422);
    await heard.count(2);
    expect(heard.all.map(({ event }) => event)).toEqual(['batch', 'one']);
  });
});

describe('replay', () => {
  it('gives the newest messages since a time, oldest first, marked as replayed', async () => {
    const topic = `user:${ANN}:live`;
    const since = Date.now() - 1000;
    // Of what the log hasn't told of yet, it isn't said on which side of the join it falls.
    const witness = new Inbox<unknown>();
    const early = (await realtime.client(ANN)).channel(topic, { config: { private: true } });
    await subscribed(early.on('broadcast', { event: '*' }, witness.put));
    for (const n of [1, 2, 3]) await realtime.send(topic, `past ${n}`, { n });
    await witness.count(3);
    const ann = await realtime.client(ANN);
    const heard = new Inbox<{ event: string; meta?: unknown }>();
    const config = { private: true, broadcast: { replay: { since, limit: 2 } } };
    await subscribed(ann.channel(topic, { config }).on('broadcast', { event: '*' }, heard.put));
    await heard.count(2);
    expect(heard.all.map(({ event }) => event)).toEqual(['past 2', 'past 3']);
    expect(heard.all[0]?.meta).toMatchObject({ replayed: true });
  });

  it('misses and repeats nothing that is sent during the join', async () => {
    const topic = `user:${ANN}:live`;
    const access_token = await realtime.token(ANN);
    let isOver = false;
    const sending = (async () => {
      for (let tick = 0; !isOver; tick += 1) await realtime.send(topic, 'tick', { tick });
    })();
    await using _ = {
      async [Symbol.asyncDispose]() {
        isOver = true;
        await sending;
      },
    };
    for (let round = 0; round < 15; round += 1) {
      const socket = await RawSocket.open(realtime.url, '1.0.0');
      const config = { private: true, broadcast: { replay: { since: Date.now() - 2 } } };
      await socket.join(`realtime:${topic}`, { config, access_token });
      const ticks: number[] = [];
      while (ticks.length < 40) {
        const frame = await socket.next(({ event }) => event === 'broadcast');
        ticks.push((frame.payload?.payload as { tick: number }).tick);
      }
      const [first = 0] = ticks;
      const since = ticks.filter((tick) => tick >= first).sort((a, b) => a - b);
      expect(since).toEqual(since.map((_, n) => first + n));
      socket.close();
    }
  });

  it('is refused on a public channel', async () => {
    const socket = await RawSocket.open(realtime.url);
    const config = { broadcast: { replay: { since: 0 } } };
    expect((await socket.join('realtime:room', { config })).response).toEqual({
      reason: 'UnableToReplayMessages: Replay is not allowed for public channels',
    });
    socket.close();
  });
});

describe('changes of tables', () => {
  it('come as events of their own to clients that send no config', async () => {
    const socket = await RawSocket.open(realtime.url, '1.0.0');
    await socket.join('realtime:public:notes:id=gt.1', {});
    const live = await socket.next((frame) => frame.event === 'system');
    expect(live.payload).toMatchObject({ status: 'ok', message: 'Subscribed to PostgreSQL' });
    await realtime.db.query('insert into notes values (1), (2)');
    const change = await socket.next();
    expect(change).toMatchObject({ event: 'INSERT', payload: { record: { id: 2 } } });
    socket.close();
  });

  it('are live when the join is answered, if the client wants to wait for that', async () => {
    const socket = await RawSocket.open(realtime.url);
    const config = {
      postgres_changes: [{ event: '*', schema: 'public', table: 'notes' }],
      postgres_changes_options: { wait: true },
    };
    expect((await socket.join('realtime:room', { config })).status).toBe('ok');
    expect((await socket.next()).payload).toMatchObject({ message: 'Subscribed to PostgreSQL' });
    socket.close();
  });

  it('refuse the join then, when they cannot be had', async () => {
    const socket = await RawSocket.open(realtime.url);
    const config = {
      postgres_changes: [{ event: '*', schema: 'public', table: 'missing' }],
      postgres_changes_options: { wait: 'true' },
    };
    expect((await socket.join('realtime:room', { config })).response).toEqual({
      reason: expect.stringMatching(
        /^RealtimeDisabledForConfiguration: Unable to subscribe to changes with given parameters\. /,
      ) as string,
    });
    socket.close();
  });
});
