import { expect, it } from 'vitest';
import type { RealtimeClientOptions } from '@supabase/supabase-js';
import { Inbox } from '../../realtime/testing/realtime.ts';
import {
  type Followed,
  freshTopic,
  joined,
  type Library,
  LIBRARIES,
  listening,
  refusal,
  type Stage,
} from '../stage.ts';

type Transport = NonNullable<RealtimeClientOptions['transport']>;

/** Serializers, heartbeats, join, rejoin, leave, tokens, system messages, closing. */
export function protocolCases(stage: () => Stage, library: Library): void {
  it('carries one topic over both serializers', async () => {
    const topic = freshTopic();
    const sides = await Promise.all(
      (
        [
          [library, '1.0.0'],
          [newest, '2.0.0'],
        ] as const
      ).map(async ([spoken, vsn]) => {
        const client = await stage().client(spoken, {}, { vsn });
        return listening(client, topic, { broadcast: { self: true, ack: true } });
      }),
    );
    for (const [n, { channel }] of sides.entries()) {
      const payload = { text: `héllo 🎓 ${n}` };
      expect(await channel.send({ type: 'broadcast', event: 'mixed', payload })).toBe('ok');
    }
    for (const { heard } of sides) {
      await heard.count(2);
      expect(heard.all.map(({ payload }) => payload)).toEqual([
        { text: 'héllo 🎓 0' },
        { text: 'héllo 🎓 1' },
      ]);
    }
  });

  it('answers heartbeats', async () => {
    const client = await stage().client(library, {}, { heartbeatIntervalMs: 500 });
    const beats = new Inbox<string>();
    client.realtime.onHeartbeat((status) => beats.put(status));
    await joined(client, freshTopic());
    await beats.find((status) => status === 'ok');
  });

  it('lets a channel be left and joined again', async () => {
    const client = await stage().client(library);
    const topic = freshTopic();
    const first = await listening(client, topic);
    expect(await first.channel.unsubscribe()).toBe('ok');
    await first.states.find(({ status }) => status === 'CLOSED');
    const second = await listening(client, topic, { broadcast: { self: true } });
    await second.channel.send({ type: 'broadcast', event: 'again', payload: {} });
    await second.heard.find();
    expect(first.heard.all).toEqual([]);
  });

  it('lets a client back in by itself when its socket was cut', async () => {
    const { transport, sockets } = noting();
    const client = await stage().client(library, {}, { transport });
    const side = await listening(client, freshTopic(), { broadcast: { self: true } });
    sockets[0]?.close();
    await backAgain(side);
    await side.channel.send({ type: 'broadcast', event: 'back', payload: {} });
    await side.heard.find();
  });

  it('takes a new token on an open channel', async () => {
    const { ann } = stage();
    const client = await stage().client(library, { user: ann });
    const side = await listening(client, `conformance:own:${ann.id}`, { private: true });
    await client.realtime.setAuth(ann.accessToken);
    await stage().send(`conformance:own:${ann.id}`, 'still here', {});
    await side.heard.find(({ event }) => event === 'still here');
  });

  it('says why a join is refused', async () => {
    const client = await stage().client(library);
    expect(await refusal(client, '')).toContain('TopicNameRequired: You must provide a topic name');
  });

  it('keeps topics apart', async () => {
    const client = await stage().client(library);
    const config = { broadcast: { self: true } };
    const [one, two] = [
      await listening(client, freshTopic(), config),
      await listening(client, freshTopic(), config),
    ];
    for (const { channel } of [one, two]) {
      await channel.send({ type: 'broadcast', event: 'e', payload: { topic: channel.topic } });
    }
    for (const { channel, heard } of [one, two]) {
      expect((await heard.find()).payload).toEqual({ topic: channel.topic });
      expect(heard.all).toHaveLength(1);
    }
  });

  it('asks its clients to come back when it restarts', async ({ skip }) => {
    const { restart } = stage().target;
    if (restart === null) return skip('only of a server of ours');
    const { transport, codes } = noting();
    const client = await stage().client(library, {}, { transport });
    const side = await listening(client, freshTopic(), { broadcast: { self: true } });
    await restart();
    await backAgain(side);
    expect(codes).toEqual([SERVICE_RESTART]);
    await side.channel.send({ type: 'broadcast', event: 'back', payload: {} });
    await side.heard.find();
  });
}

const newest = LIBRARIES[0] as Library;
/** The close code by which clients are asked to come back. */
const SERVICE_RESTART = 1012;

/** A transport whose sockets are noted, and the codes with which they were closed. */
function noting(): { transport: Transport; sockets: WebSocket[]; codes: number[] } {
  const sockets: WebSocket[] = [];
  const codes: number[] = [];
  class Noted extends WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols);
      sockets.push(this);
      this.addEventListener('close', ({ code }) => codes.push(code));
    }
  }
  // Typed with a narrower handler than it has.
  return { transport: Noted as unknown as Transport, sockets, codes };
}

/** Resolves when a channel that was cut is joined again. */
async function backAgain({ states }: Followed): Promise<void> {
  await states.find((state) => state.status === 'SUBSCRIBED' && states.all.indexOf(state) > 0);
}
