import type { RealtimeChannel } from '@supabase/supabase-js';
import { expect, it } from 'vitest';
import { Inbox } from '../../realtime/testing/realtime.ts';
import { type Followed, freshTopic, joined, type Library, type Stage } from '../stage.ts';

type Metas = Record<string, { presence_ref: string; [name: string]: unknown }[]>;
type Watcher = Followed & { states: Followed['states']; synced: Inbox<Metas>; gone: Inbox<string> };

/** Who is there, for whom, and until when. */
export function presenceCases(stage: () => Stage, library: Library): void {
  async function watcher(topic: string, key: string): Promise<Watcher> {
    const [synced, gone] = [new Inbox<Metas>(), new Inbox<string>()];
    const client = await stage().client(library);
    const watch = (channel: RealtimeChannel): void => {
      channel.on('presence', { event: 'sync' }, () => synced.put({ ...channel.presenceState() }));
      channel.on('presence', { event: 'leave' }, ({ key: left }) => gone.put(left));
    };
    return { ...(await joined(client, topic, { presence: { key } }, watch)), synced, gone };
  }
  const keysOf = (state: Metas): string => Object.keys(state).sort().join();

  it('tells who is there already, and who comes', async () => {
    const topic = freshTopic();
    const ann = await watcher(topic, 'ann');
    expect(await ann.channel.track({ mood: 'calm' })).toBe('ok');
    const bob = await watcher(topic, 'bob');
    const first = await bob.synced.find(({ ann: metas }) => metas !== undefined);
    expect(first['ann']).toMatchObject([{ mood: 'calm' }]);
    await bob.channel.track({ mood: 'merry' });
    await ann.synced.find((state) => keysOf(state) === 'ann,bob');
  });

  it('shows each connection of one key, and one less when one goes', async () => {
    const topic = freshTopic();
    const [watching, laptop, phone] = [
      await watcher(topic, 'watcher'),
      await watcher(topic, 'bob'),
      await watcher(topic, 'bob'),
    ];
    await laptop.channel.track({ on: 'laptop' });
    await phone.channel.track({ on: 'phone' });
    await watching.synced.find(({ bob }) => bob?.length === 2);
    await phone.channel.unsubscribe();
    const left = await watching.synced.find(
      (state) => watching.gone.all.length > 0 && state['bob']?.length === 1,
    );
    expect(left['bob']).toMatchObject([{ on: 'laptop' }]);
  });

  it('shows what changed', async () => {
    const topic = freshTopic();
    const [ann, bob] = [await watcher(topic, 'ann'), await watcher(topic, 'bob')];
    await bob.channel.track({ mood: 'calm' });
    await ann.synced.find((state) => state['bob'] !== undefined);
    await bob.channel.track({ mood: 'merry' });
    const changed = await ann.synced.find((state) => state['bob']?.[0]?.['mood'] === 'merry');
    expect(changed['bob']).toHaveLength(1);
  });

  it('ends with untrack, with leaving, and with the socket', async () => {
    const topic = freshTopic();
    const watching = await watcher(topic, 'watcher');
    const ends: Record<string, (watcher: Watcher) => Promise<unknown>> = {
      untracks: ({ channel }) => channel.untrack(),
      leaves: ({ channel }) => channel.unsubscribe(),
      closes: ({ channel }) => channel.socket.disconnect(),
    };
    for (const [key, end] of Object.entries(ends)) {
      const one = await watcher(topic, key);
      await one.channel.track({});
      await watching.synced.find((state) => state[key] !== undefined);
      await end(one);
      await watching.gone.find((gone) => gone === key);
    }
    expect(keysOf(watching.synced.all.at(-1) ?? {})).toBe('');
  });

  it('doesn’t flicker for who comes back under the same key before the old socket is gone', async () => {
    const topic = freshTopic();
    const watching = await watcher(topic, 'watcher');
    const before = await watcher(topic, 'bob');
    await before.channel.track({ connection: 1 });
    await watching.synced.find(({ bob }) => bob?.length === 1);
    const after = await watcher(topic, 'bob');
    await after.channel.track({ connection: 2 });
    await watching.synced.find(({ bob }) => bob?.length === 2);
    const since = watching.synced.all.length;
    await before.channel.socket.disconnect();
    await watching.gone.find();
    await after.channel.track({ connection: 3 });
    await watching.synced.find(({ bob }) => bob?.[0]?.['connection'] === 3);
    for (const state of watching.synced.all.slice(since)) expect(state).toHaveProperty('bob');
  });

  it('shows who tracks without listening', async () => {
    const topic = freshTopic();
    const ann = await watcher(topic, 'ann');
    const client = await stage().client(library);
    const silent = await joined(client, topic, { presence: { key: 'bob' } });
    expect(await silent.channel.track({ mood: 'calm' })).toBe('ok');
    const state = await ann.synced.find((one) => one['bob'] !== undefined);
    expect(state['bob']).toMatchObject([{ mood: 'calm' }]);
  });

  it('is told to nobody who doesn’t listen to it', async () => {
    const topic = freshTopic();
    const ann = await watcher(topic, 'ann');
    const deaf = await joined(await stage().client(library), topic);
    await ann.channel.track({});
    await ann.synced.find((state) => state['ann'] !== undefined);
    expect(deaf.channel.presenceState()).toEqual({});
  });
}
