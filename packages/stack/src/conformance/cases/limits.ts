import { expect, it } from 'vitest';
import { freshTopic, joined, type Library, refusal, type Stage } from '../stage.ts';

/** What upstream refuses, in its words. */
export function limitCases(stage: () => Stage, library: Library): void {
  it('refuse the channel after the hundredth of a socket', async () => {
    const client = await stage().client(library);
    await Promise.all(Array.from({ length: 100 }, () => joined(client, freshTopic())));
    expect(await refusal(client, freshTopic())).toContain(
      'ChannelRateLimitReached: Too many channels',
    );
  });

  it('refuse a broadcast that is too large', async () => {
    const client = await stage().client(library);
    const { channel } = await joined(client, freshTopic(), { broadcast: { ack: true } });
    const payload = { text: 'x'.repeat(3_100_000) };
    expect(await channel.send({ type: 'broadcast', event: 'large', payload })).toBe('error');
    expect(await channel.send({ type: 'broadcast', event: 'small', payload: {} })).toBe('ok');
  });

  it('end a channel that tracks too often', async () => {
    const client = await stage().client(library);
    const side = await joined(client, freshTopic(), { presence: { key: 'ann' } });
    const tracked = Array.from({ length: 6 }, (_, n) => side.channel.track({ n }));
    const last = await side.system.find(({ status }) => status === 'error');
    expect(last.message).toBe('Client presence rate limit exceeded');
    await side.states.find(({ status }) => status === 'CLOSED');
    expect((await Promise.all(tracked.slice(0, 5))).every((answer) => answer === 'ok')).toBe(true);
  });
}
