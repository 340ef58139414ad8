import { expect, it } from 'vitest';
import { Inbox } from '../../realtime/testing/realtime.ts';
import { SCHEMA } from '../schema.ts';
import { joined, type Library, listening, refusal, type Stage } from '../stage.ts';

/** Rights on private topics, by policies on `realtime.messages`. */
export function privateChannelCases(stage: () => Stage, library: Library): void {
  const isPrivate = { private: true };

  it('are closed where no policy opens them', async () => {
    const client = await stage().client(library, { user: stage().ann });
    expect(await refusal(client, 'conformance:nowhere', { private: true })).toContain(
      'Unauthorized: You do not have permissions to read from this Channel topic',
    );
  });

  it('let nobody broadcast without the right to', async () => {
    const client = await stage().client(library, { user: stage().ann });
    const config = { private: true, broadcast: { self: true } };
    const side = await listening(client, 'conformance:read', config);
    await side.channel.send({ type: 'broadcast', event: 'forged', payload: {} });
    await stage().send('conformance:read', 'genuine', {});
    await side.heard.find();
    expect(side.heard.all.map(({ event }) => event)).toEqual(['genuine']);
  });

  it('let broadcast who has the right to', async () => {
    const client = await stage().client(library, { user: stage().ann });
    const config = { private: true, broadcast: { self: true, ack: true } };
    const side = await listening(client, 'conformance:open', config);
    const sent = { type: 'broadcast', event: 'allowed', payload: {} } as const;
    expect(await side.channel.send(sent)).toBe('ok');
    await side.heard.find(({ event }) => event === 'allowed');
  });

  it('ask for presence apart from broadcast, to hear', async () => {
    const client = await stage().client(library, { user: stage().ann });
    const topic = 'conformance:deaf';
    const heard = new Inbox<unknown>();
    const synced = new Inbox<unknown>();
    await joined(client, topic, { private: true, presence: { key: 'ann' } }, (channel) => {
      channel.on('broadcast', { event: '*' }, heard.put);
      channel.on('presence', { event: 'sync' }, () => synced.put(null));
    });
    await synced.find();
    const marked = await listening(
      await stage().client(library, { user: stage().ann }),
      'conformance:open',
      { private: true },
    );
    await stage().send(topic, 'unheard', {});
    await stage().send('conformance:open', 'mark', {});
    await marked.heard.find(({ event }) => event === 'mark');
    expect(heard.all).toEqual([]);
  });

  it('ask for presence apart from broadcast, to speak', async () => {
    const client = await stage().client(library, { user: stage().ann });
    const states = new Inbox<object>();
    const { channel } = await joined(
      client,
      'conformance:read',
      { private: true, presence: { key: 'ann' } },
      (one) => one.on('presence', { event: 'sync' }, () => states.put({ ...one.presenceState() })),
    );
    expect(await channel.track({ here: true })).toBe('ok');
    await states.find((state) => 'ann' in state);

    const refused = await joined(client, 'conformance:changes', {
      private: true,
      presence: { key: 'ann' },
    });
    expect(await refused.channel.track({ here: true })).toBe('error');
  });

  it('keep the rights of the join while its token lasts', async () => {
    const { ann, sql } = stage();
    const members = sql(`${SCHEMA}.members`);
    await sql`insert into ${members} values (${ann.id})`;
    const join = async () =>
      listening(await stage().client(library, { user: ann }), 'conformance:members', isPrivate);
    const side = await join();
    await sql`delete from ${members} where person = ${ann.id}`;
    await expect(join()).rejects.toThrow('You do not have permissions to read');
    await stage().send('conformance:members', 'still heard', {});
    await side.heard.find(({ event }) => event === 'still heard');
  });

  it('are asked about again with a new token', async ({ skip }) => {
    const sign = stage().target.signers['HS256'];
    if (sign === undefined) return skip('its keys are not known');
    const claims = { role: 'authenticated', sub: stage().ann.id };
    const client = await stage().client(library, {
      token: await sign({ ...claims, room: 'open' }, 600),
    });
    const side = await joined(client, 'conformance:claim', { private: true });
    await client.realtime.setAuth(await sign({ ...claims, room: 'shut' }, 600));
    const last = await side.system.find(({ status }) => status === 'error');
    expect(last.message).toContain('from this Channel topic: conformance:claim');
    await side.states.find(({ status }) => status === 'CLOSED');
  });
}
