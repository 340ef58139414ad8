import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { SCHEMA } from '../schema.ts';
import { freshTopic, joined, type Library, listening, type Stage } from '../stage.ts';

const bytes = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer;

/** From clients, over HTTP, from the database, replayed. */
export function broadcastCases(stage: () => Stage, library: Library): void {
  it('reaches everybody else, and the sender only with `self`', async () => {
    const topic = freshTopic();
    const [quiet, vain] = [
      await listening(await stage().client(library), topic, { broadcast: { ack: true } }),
      await listening(await stage().client(library), topic, {
        broadcast: { ack: true, self: true },
      }),
    ];
    await quiet.channel.send({ type: 'broadcast', event: 'one', payload: { n: 1 } });
    await vain.channel.send({ type: 'broadcast', event: 'two', payload: { n: 2 } });
    await vain.heard.count(2);
    await quiet.heard.count(1);
    expect(vain.heard.all).toMatchObject([{ event: 'one' }, { event: 'two', payload: { n: 2 } }]);
    expect(quiet.heard.all).toMatchObject([{ event: 'two', payload: { n: 2 } }]);
  });

  it('is acknowledged with `ack`', async () => {
    const side = await joined(await stage().client(library), freshTopic(), {
      broadcast: { ack: true },
    });
    expect(await side.channel.send({ type: 'broadcast', event: 'e', payload: {} })).toBe('ok');
  });

  it('keeps public and private topics of one name apart', async () => {
    const client = await stage().client(library);
    const member = await stage().client(library, { user: stage().ann });
    const config = { broadcast: { self: true } };
    const open = await listening(client, 'conformance:open', config);
    const closed = await listening(member, 'conformance:open', { ...config, private: true });
    await open.channel.send({ type: 'broadcast', event: 'public', payload: {} });
    await closed.channel.send({ type: 'broadcast', event: 'private', payload: {} });
    expect((await open.heard.find()).event).toBe('public');
    expect((await closed.heard.find()).event).toBe('private');
    expect([open.heard.all.length, closed.heard.all.length]).toEqual([1, 1]);
  });

  it('carries bytes both ways', async ({ skip }) => {
    if (!library.hasBinary) return skip('it speaks JSON only');
    const topic = freshTopic();
    const [one, two] = await Promise.all(
      [1, 2].map(async () => {
        const client = await stage().client(library);
        return listening(client, topic, { broadcast: { ack: true } });
      }),
    );
    if (one === undefined || two === undefined) throw new Error('unreachable');
    const sent = { type: 'broadcast', event: 'bytes', payload: bytes(0, 1, 255) } as const;
    expect(await one.channel.send(sent)).toBe('ok');
    expect(new Uint8Array((await two.heard.find()).payload)).toEqual(new Uint8Array([0, 1, 255]));
  });

  it('comes over HTTP from who hasn’t joined', async () => {
    const topic = freshTopic();
    const side = await listening(await stage().client(library), topic);
    const sender = (await stage().client(library)).channel(topic);
    expect(await sender.send({ type: 'broadcast', event: 'batch', payload: { n: 1 } })).toBe('ok');
    expect(await side.heard.find()).toMatchObject({ event: 'batch', payload: { n: 1 } });
  });

  it('comes over HTTP in batches', async () => {
    const [one, two] = [freshTopic(), freshTopic()];
    const client = await stage().client(library);
    const sides = [await listening(client, one), await listening(client, two)];
    const messages = [one, two].map((topic, n) => ({ topic, event: 'batch', payload: { n } }));
    const response = await fetch(`${stage().target.url}/realtime/v1/api/broadcast`, {
      method: 'POST',
      headers: { apikey: stage().target.publishableKey, 'content-type': 'application/json' },
      body: JSON.stringify({ messages }),
    });
    expect(response.status).toBe(202);
    for (const [n, side] of sides.entries()) {
      expect((await side.heard.find()).payload).toEqual({ n });
    }
  });

  it('comes over HTTP to one topic, by `httpSend`', async () => {
    const client = await stage().client(library, { user: stage().ann });
    const topic = 'conformance:open';
    const side = await listening(client, topic, { private: true });
    const sender = (await stage().client(library, { user: stage().bob })).channel(topic, {
      config: { private: true },
    });
    expect(await sender.httpSend('one', { n: 1 })).toEqual({ success: true });
    expect(await side.heard.find()).toMatchObject({ event: 'one', payload: { n: 1 } });
  });

  it('comes over HTTP as bytes', async ({ skip }) => {
    if (!library.hasBinary) return skip('it speaks JSON only');
    const topic = freshTopic();
    const side = await listening(await stage().client(library), topic);
    const sender = (await stage().client(library)).channel(topic);
    expect(await sender.httpSend('bytes', bytes(3, 0, 255))).toEqual({ success: true });
    expect(new Uint8Array((await side.heard.find()).payload)).toEqual(new Uint8Array([3, 0, 255]));
  });

  it('comes over HTTP only from who may: alone it is refused, in a batch left out', async () => {
    const topic = 'conformance:read';
    const side = await listening(await stage().client(library, { user: stage().ann }), topic, {
      private: true,
    });
    const post = async (path: string, body: object): Promise<number> => {
      const { url, publishableKey: apikey } = stage().target;
      const authorization = `Bearer ${stage().ann.accessToken}`;
      const response = await fetch(`${url}/realtime/v1/api/broadcast${path}`, {
        method: 'POST',
        headers: { apikey, authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.status;
    };
    expect(await post(`/${topic}/events/forged?private=true`, { n: 1 })).toBe(403);
    const forged = { topic, event: 'forged', payload: { n: 2 }, private: true };
    expect(await post('', { messages: [forged] })).toBe(202);
    await stage().send(topic, 'genuine', {});
    await side.heard.find(({ event }) => event === 'genuine');
    expect(side.heard.all.map(({ event }) => event)).toEqual(['genuine']);
  });

  it('comes from the database, publicly or privately', async () => {
    const topic = `conformance:own:${stage().ann.id}`;
    const anyone = await listening(await stage().client(library), topic);
    const ann = await listening(await stage().client(library, { user: stage().ann }), topic, {
      private: true,
    });
    await stage().send(topic, 'private', { n: 1 });
    await stage().send(topic, 'public', { n: 2 }, false);
    const heard = await ann.heard.find();
    expect(heard).toMatchObject({ event: 'private', payload: { n: 1 } });
    expect(heard.payload['id']).toBe(heard.meta?.id);
    expect(await anyone.heard.find()).toMatchObject({ event: 'public', payload: { n: 2 } });
    expect([ann.heard.all.length, anyone.heard.all.length]).toEqual([1, 1]);
  });

  it('comes from the database with its transaction, or not at all', async () => {
    const topic = freshTopic();
    const side = await listening(await stage().client(library), topic);
    const { sql } = stage();
    const failing = sql.begin(async (transaction) => {
      await transaction`select realtime.send('{}', 'lost', ${topic}, false)`;
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await stage().send(topic, 'kept', {}, false);
    await side.heard.find();
    expect(side.heard.all).toMatchObject([{ event: 'kept' }]);
  });

  it('comes from the database as bytes, by `realtime.send_binary`', async ({ skip }) => {
    if (!library.hasBinary) return skip('it speaks JSON only');
    const topic = freshTopic();
    const side = await listening(await stage().client(library), topic);
    const { sql } = stage();
    await sql`select realtime.send_binary(${Buffer.from([7, 8])}, 'bytes', ${topic}, false)`;
    expect(new Uint8Array((await side.heard.find()).payload)).toEqual(new Uint8Array([7, 8]));
  });

  it('tells of changed rows, by `realtime.broadcast_changes`', async () => {
    const client = await stage().client(library, { user: stage().ann });
    const side = await listening(client, 'conformance:changes', { private: true });
    const { sql } = stage();
    const id = Math.floor(Math.random() * 2 ** 30);
    const table = sql(`${SCHEMA}.told`);
    await sql`insert into ${table} values (${id}, 'a')`;
    await sql`update ${table} set body = 'b' where id = ${id}`;
    await sql`delete from ${table} where id = ${id}`;
    await side.heard.count(3);
    const common = { schema: SCHEMA, table: 'told', id: expect.any(String) as string };
    expect(side.heard.all.map(({ payload }) => payload)).toEqual([
      { ...common, operation: 'INSERT', record: { id, body: 'a' }, old_record: null },
      { ...common, operation: 'UPDATE', record: { id, body: 'b' }, old_record: { id, body: 'a' } },
      { ...common, operation: 'DELETE', record: null, old_record: { id, body: 'b' } },
    ]);
  });

  it('replays the newest messages since a time, oldest first', async () => {
    const topic = `conformance:own:${stage().ann.id}`;
    const run = randomUUID();
    const since = Date.now() - 1_000;
    const client = await stage().client(library, { user: stage().ann });
    const witness = await listening(client, topic, { private: true });
    for (const n of [1, 2, 3]) await stage().send(topic, 'past', { n, run });
    // Of what the server has told nobody yet, it isn't said on which side of the join it falls.
    await witness.heard.count(3);
    await witness.channel.unsubscribe();
    const side = await listening(client, topic, {
      private: true,
      broadcast: { replay: { since, limit: 2 } },
    });
    await side.heard.count(2);
    await stage().send(topic, 'present', { n: 4, run });
    await side.heard.count(3);
    expect(side.heard.all.map(({ payload, meta }) => [payload['n'], meta?.replayed])).toEqual([
      [2, true],
      [3, true],
      [4, undefined],
    ]);
  });

  it('replays no more than the newest 25', async () => {
    const topic = `conformance:own:${stage().bob.id}`;
    const since = Date.now() - 1_000;
    const client = await stage().client(library, { user: stage().bob });
    const witness = await listening(client, topic, { private: true });
    for (let n = 1; n <= 30; n += 1) await stage().send(topic, 'past', { n });
    await witness.heard.count(30);
    await witness.channel.unsubscribe();
    const broadcast = { replay: { since, limit: 1_000 } };
    const side = await listening(client, topic, { private: true, broadcast });
    await side.heard.count(25);
    await stage().send(topic, 'present', { n: 31 });
    await side.heard.find(({ event }) => event === 'present');
    const told = side.heard.all.map(({ payload }) => payload['n']);
    expect(told).toEqual(Array.from({ length: 26 }, (_, n) => n + 6));
  });

  it('says when the database is being listened to, by `replication_ready`', async () => {
    const client = await stage().client(library);
    const broadcast = { replication_ready: true };
    const side = await joined(client, freshTopic(), { broadcast });
    expect(await side.system.find()).toMatchObject({
      ...{ extension: 'system', status: 'ok' },
      message: 'Replication connection established',
    });
  });
}
