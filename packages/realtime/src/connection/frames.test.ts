import { expect, it } from 'vitest';
import { decodeFrame } from './frames.ts';

/** What a frame says, or nothing. */
function read(raw: ArrayBuffer | string): unknown {
  let said: unknown;
  decodeFrame(raw, (frame) => (said = frame));
  return said;
}

/** A broadcast as Supabase Realtime packs it: sizes in bytes, then the texts. */
function binary({ kind = 4, encoding = 1, metadata = '', payload = '{}' }): ArrayBuffer {
  const texts = ['realtime:thread:1', 'ändern', metadata].map((text) =>
    new TextEncoder().encode(text),
  );
  const sizes = texts.map(({ length }) => length);
  const parts = [...texts, new TextEncoder().encode(payload)];
  const bytes = [kind, ...sizes, encoding, ...parts.flatMap((part) => [...part])];
  return Uint8Array.from(bytes).buffer;
}

it('reads the frames of Phoenix', () => {
  const reply = { status: 'ok', response: {} };
  expect(read(JSON.stringify(['1', '2', 'realtime:user:ada', 'phx_reply', reply]))).toEqual({
    join_ref: '1',
    ref: '2',
    topic: 'realtime:user:ada',
    event: 'phx_reply',
    payload: reply,
  });
});

it('reads broadcasts in binary frames, with and without metadata', () => {
  for (const metadata of ['', '{"id":"é"}']) {
    expect(read(binary({ metadata, payload: '{"seq":7,"data":"ß"}' }))).toEqual({
      join_ref: null,
      ref: null,
      topic: 'realtime:thread:1',
      event: 'broadcast',
      payload: { type: 'broadcast', event: 'ändern', payload: { seq: 7, data: 'ß' } },
    });
  }
});

it('passes over what it does not know', () => {
  expect(read(binary({ kind: 9 }))).toBeUndefined();
  expect(read(binary({ encoding: 0 }))).toBeUndefined();
});
